"""Reads the tokens of LAUREL_AUTH_TOKENS. What is wrong is told without a word of the tokens themselves."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec

from laurel_server.rpc.callers import Grant
from laurel_server.rpc.methods import Scope
from laurel_server.runtime.config_serving import Auth

LAUREL: Final = "laurel"
"""Who has made what Laurel does by itself: bonuses, prizes, expirations."""
_TOKENS: Final = "LAUREL_AUTH_TOKENS"
_FILE: Final = "LAUREL_AUTH_TOKENS_FILE"
# What can be sent as a header and survives every gateway.
_TOKEN: Final = re.compile(r"[!-~]{1,512}")
_QUOTED: Final = re.compile(r"'[^']*'")
"""Values in the words of a parser: somebody may have put a token where another value belongs."""


class CredentialsError(Exception):
    """The tokens cannot be read; the message names the variable and what is wrong."""


class _Entry(msgspec.Struct, frozen=True):
    """What stands beside a token."""

    caller: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.:@-]{1,64}$")]
    scopes: Annotated[set[Scope], msgspec.Meta(min_length=1)]


def credentials(auth: Auth) -> list[str]:
    """Returns the variables that hold credentials and are set."""
    given = {_TOKENS: auth.tokens, _FILE: auth.tokens_file}
    return [variable for variable, value in given.items() if value is not None]


def read_grants(auth: Auth) -> Mapping[str, Grant]:
    """Returns what each token allows, nothing if no token is asked for. CredentialsError."""
    given = credentials(auth)
    if not given:
        return {}
    if len(given) > 1:
        raise CredentialsError(f"set {_TOKENS} or {_FILE}, not both")
    return _parse(given[0], _text_of(auth))


def _text_of(auth: Auth) -> str:
    text = "" if auth.tokens is None else auth.tokens.get_secret_value()
    if text.lstrip().startswith("{"):
        return text
    path, variable = (auth.tokens_file, _FILE) if auth.tokens_file is not None else (Path(text), _TOKENS)
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a text"
        raise CredentialsError(f"{variable} is neither JSON nor a file that can be read: {reason}") from None


def _parse(variable: str, text: str) -> Mapping[str, Grant]:
    try:
        entries = msgspec.json.decode(text, type=dict[str, _Entry])
    except msgspec.ValidationError as error:
        raise CredentialsError(f"{variable}: {_QUOTED.sub('...', str(error))}") from None
    except msgspec.DecodeError:  # its text may quote what it stumbled over
        raise CredentialsError(f"{variable} is not JSON") from None
    if not entries:
        raise CredentialsError(
            f"{variable} holds no token, so nobody could call; unset it to let everybody call"
        )
    if not all(map(_TOKEN.fullmatch, entries)):
        raise CredentialsError(f"{variable}: a token is 1 to 512 visible ASCII characters")
    if any(entry.caller == LAUREL for entry in entries.values()):
        raise CredentialsError(
            f"{variable}: the caller {LAUREL} is Laurel itself; its request ids are its own"
        )
    return {token: Grant(entry.caller, frozenset(entry.scopes)) for token, entry in entries.items()}
