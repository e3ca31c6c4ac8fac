"""What a broken rule of the contract says: protovalidate's own words, or better ones where it has a bare pattern."""

import re
from collections.abc import Mapping
from typing import Final

_OPTIONAL: Final = re.compile(r"\^\((?P<inner>.*)\)\?\$")

PATTERNS: Final[Mapping[str, str]] = {
    "^[A-Za-z0-9_.:@-]{1,64}$": "must be 1 to 64 characters out of A-Z, a-z, 0-9 and _.:@-",
    "^[A-Za-z0-9_.:@-]{0,64}$": "must be at most 64 characters out of A-Z, a-z, 0-9 and _.:@-",
    "^[A-Za-z0-9_.-]{1,64}$": "must be 1 to 64 characters out of A-Z, a-z, 0-9 and _.-",
    "^[A-Za-z0-9_.-]{0,64}$": "must be at most 64 characters out of A-Z, a-z, 0-9 and _.-",
    "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$": (
        "must be 1 to 64 characters out of A-Z, a-z, 0-9 and _.-, the first of them a letter or digit"
    ),
    "^[A-Z][A-Z0-9_]{0,63}$": "must be 1 to 64 characters out of A-Z, 0-9 and _, the first of them a letter",
    "^[A-Za-z_][A-Za-z0-9_]{0,63}$": (
        "must have a name of 1 to 64 characters out of A-Z, a-z, 0-9 and _, the first of them no digit"
    ),
    "^[A-Z]{2}$": "must be a country by its two capital letters, such as US",
    "^[0-9]{1,19}$": "must be the number of a transaction, as it was answered",
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}$": "must be a date such as 1990-12-31",
    "^([01][0-9]|2[0-3]):[0-5][0-9]$": "must be a time of day such as 22:30",
    "^[0-9]{1,9}([.][0-9]{1,9})?$": (
        "must be a decimal such as 1.5, with up to 9 digits before and after the point"
    ),
    "^[1-9][0-9]{0,5}([.][0-9]{1,9})?$": (
        "must be a decimal from 1 such as 1.5, with up to 6 digits before and 9 after the point"
    ),
    "^[0-9]{1,16}([.][0-9]{1,9})?$": (
        "must be a decimal such as 12.5, with up to 16 digits before and 9 after the point"
    ),
    "^[0-9]{1,20}([.][0-9]{1,20})?$": (
        "must be a decimal such as 33.33, with up to 20 digits before and after the point"
    ),
}
"""What a text must be, by the pattern that the contract declares for it."""


def words(rule_id: str, rule_value: object, otherwise: str) -> str:
    """Return what to say of a broken rule: its id and value in protovalidate, and the words that that has."""
    match rule_id:
        case "string.pattern":
            return _pattern_words(str(rule_value)) or otherwise
        case "string.min_len" | "repeated.min_items" if rule_value == 1:
            return "must not be empty"
        case _:
            return otherwise


def _pattern_words(pattern: str) -> str | None:
    if pattern in PATTERNS:
        return PATTERNS[pattern]
    optional = _OPTIONAL.fullmatch(pattern)
    inner = PATTERNS.get(f"^{optional['inner']}$") if optional else None
    return f"{inner}; or empty" if inner else None
