"""What an operator asks to be done with a person."""

from dataclasses import dataclass
from enum import StrEnum


class Measure(StrEnum):
    """What was done, as the audit keeps it."""

    SET_VISIBILITY = "SET_VISIBILITY"
    ERASE = "ERASE"


@dataclass(frozen=True, slots=True)
class Order:
    """Who asks for what, and why. `key` and `request_hash` are those of the request, for exactly-once."""

    user_id: str
    request_id: str
    key: bytes
    request_hash: bytes
    actor: str
    reason: str = ""
