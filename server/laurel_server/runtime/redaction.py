"""Settings that can be shown: everything but the secrets."""

import re

from pydantic import SecretStr

from laurel_server.runtime.config import Settings
from laurel_server.runtime.config_part import Part

_MASK = "***"
# Up to the *last* @: a password may hold one unescaped, and hiding too much is the safe mistake.
_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*://)(?:(?P<user>[^:@/?#]*)(?P<password>:.*)?@)?(?P<rest>[^@]*)",
    re.IGNORECASE | re.DOTALL,
)
_SECRET_PARAMETER = re.compile(r"(?i)([?&][^=&]*(?:pass|secret|token|key)[^=&]*=)[^&]*")


def redacted(settings: Settings) -> dict[str, dict[str, object]]:
    """Returns the tree as plain JSON values, with passwords and tokens masked."""
    return {name: _redacted_part(getattr(settings, name)) for name in Settings.model_fields}


def mask_url(url: str) -> str:
    """Returns a URL with its password and secret parameters masked; anything else is masked whole."""
    match = _URL.fullmatch(url)
    if match is None:
        return _MASK
    password = f":{_MASK}" if match["password"] else ""
    login = "" if match["user"] is None else f"{match['user']}{password}@"
    return match["scheme"] + login + _SECRET_PARAMETER.sub(rf"\1{_MASK}", match["rest"])


def _redacted_part(part: Part) -> dict[str, object]:
    plain = part.model_dump(mode="json")
    values = {name: getattr(part, name) for name in type(part).model_fields}
    secrets = {name: value for name, value in values.items() if isinstance(value, SecretStr)}
    return plain | {name: mask_url(value.get_secret_value()) for name, value in secrets.items()}
