"""The filter of ListUsers: `country=US tier=GOLD username="Ann*"`."""

import re
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from laurel_server.domain.boards import Visibility
from laurel_server.domain.errors import invalid_field
from laurel_server.domain.tiers import Tier

_TERM: Final = re.compile(
    r'\s*(?:AND\s+)?(?:(?P<name>[a-z_]+)\s*=\s*)?(?:"(?P<quoted>[^"]*)"|(?P<plain>[^\s"=]+))(?=\s|$)'
)
_HELP: Final = (
    'must be terms such as user_id=ann* or tier=GOLD, separated by blanks; values with blanks in "quotes"'
)


@dataclass(frozen=True, slots=True)
class Text:
    """What a text must be, or with `is_prefix` begin with."""

    value: str
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class UserFilter:
    """Which users are meant: those to whom every term applies. Names and addresses are compared without case."""

    user_id: Text | None = None
    username: Text | None = None
    email: Text | None = None
    country: str | None = None
    region: str | None = None
    segment: str | None = None
    tier: Tier | None = None
    visibility: Visibility | None = None

    @classmethod
    def parse(cls, text: str) -> "UserFilter":
        """Return the filter that `text` asks for; empty text means everybody. INVALID_FIELD."""
        found, position = cls(), 0
        text = text.rstrip()
        while position < len(text):
            match = _TERM.match(text, position)
            if match is None:
                raise invalid_field("filter", _HELP)
            value = match["quoted"] if match["quoted"] is not None else match["plain"]
            found = found._with(match["name"] or "user_id", value)
            position = match.end()
        return found

    def _with(self, name: str, value: str) -> "UserFilter":
        if name not in _NAMES:
            raise invalid_field("filter", f"{name} is none of {', '.join(_NAMES)}")
        if getattr(self, name) is not None:
            raise invalid_field("filter", f"{name} is given twice")
        changes: dict[str, Any] = {name: _value(name, value)}
        return replace(self, **changes)


_NAMES: Final = tuple(field.name for field in fields(UserFilter))
_TEXTS: Final = ("user_id", "username", "email")


def _value(name: str, value: str) -> Text | str | Tier | Visibility:
    if name in _TEXTS:
        return Text(value.removesuffix("*"), value.endswith("*"))
    if name == "tier":
        return _member(Tier, name, value)
    if name == "visibility":
        return _member(Visibility, name, value)
    return value.upper() if name == "country" else value


def _member(kind: type[Tier] | type[Visibility], name: str, value: str) -> Tier | Visibility:
    """Return the value of an enum by its name, with or without the prefix of the contract, in any case."""
    try:
        return kind[value.upper().removeprefix(f"{name.upper()}_")]
    except KeyError:
        raise invalid_field("filter", f"{value} is none of {', '.join(kind.__members__)}") from None
