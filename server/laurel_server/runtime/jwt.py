"""Reads the settings of JWTs: whole, or not at all."""

from pathlib import Path

import msgspec

from laurel_server.devstack.gateway import Jwt
from laurel_server.runtime.config import Settings
from laurel_server.runtime.credentials import CredentialsError, read_grants


def read_jwt(settings: Settings) -> Jwt | None:
    """Return whose JWTs count; None without any of the settings. CredentialsError if they do not fit together."""
    jwt = settings.jwt
    if not any((jwt.jwks_file, jwt.issuer, jwt.audience, jwt.token)):
        return None
    if jwt.jwks_file is None or jwt.token is None or not jwt.issuer or not jwt.audience:
        raise CredentialsError(
            "set LAUREL_JWT_JWKS_FILE, _ISSUER, _AUDIENCE and _TOKEN together, or none of them"
        )
    token = jwt.token.get_secret_value()
    if token not in read_grants(settings.auth):
        raise CredentialsError("LAUREL_JWT_TOKEN is none of LAUREL_AUTH_TOKENS")
    return Jwt(jwt.issuer, jwt.audience, _key_set(jwt.jwks_file), token)


def _key_set(file: Path) -> str:
    try:
        text = file.read_text("utf-8")
        if msgspec.json.decode(text, type=_KeySet).keys:
            return text
    except (OSError, ValueError, msgspec.MsgspecError):
        pass  # said below
    raise CredentialsError(f"LAUREL_JWT_JWKS_FILE: {file} holds no JSON Web Key Set")


class _KeySet(msgspec.Struct):
    keys: list[dict[str, object]]
