"""The ids callers choose, and the ids of ledger entries."""

import hashlib
import re
from datetime import UTC, datetime
from typing import Final

from laurel_server.domain.errors import LaurelError, Reason, invalid_field

SEQUENCE_BITS: Final = 48
"""A transaction id is (months since 1970-01) << 48 | sequence; it fits 64 bits with a sign until 4700."""

BATCH_BITS: Final = 10
"""A sequence is the number of the batch << 10 | the place in it."""

_LAST_MONTH = (1 << 63 - SEQUENCE_BITS) - 1
_SEQUENCE_MASK = (1 << SEQUENCE_BITS) - 1
_USER_ID = re.compile(r"[A-Za-z0-9_.:@-]{1,64}")
_ACTION = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_TRANSACTION_ID = re.compile(r"[1-9][0-9]{0,18}")


def is_user_id(text: str) -> bool:
    """Whether a user may have this id."""
    return _USER_ID.fullmatch(text) is not None


def check_action(text: str, field: str = "action") -> str:
    """Return `text`. INVALID_FIELD unless it is an upper-case name of 1 to 64 characters."""
    return _check(_ACTION, text, field, "must be 1 to 64 of A-Z 0-9 _, a letter first")


def idempotency_key(family: str, caller: str, request_id: str) -> bytes:
    """Return the digest under which the answer is kept; RPCs of one family share their request ids."""
    return hashlib.blake2b(f"{family}\0{caller}\0{request_id}".encode(), digest_size=16).digest()


def transaction_id(recorded_at: datetime, sequence: int) -> int:
    """Return the id of an entry recorded then; `sequence` is below 2^48 and unique in the ledger."""
    moment = recorded_at.astimezone(UTC)
    return _month_number(moment.year, moment.month) << SEQUENCE_BITS | sequence


def parse_transaction_id(text: str, field: str = "transaction_id") -> int:
    """Return the id in its decimal form. INVALID_FIELD if empty, TRANSACTION_NOT_FOUND if it is none."""
    if not text:
        raise invalid_field(field, "must not be empty")
    number = int(text) if _TRANSACTION_ID.fullmatch(text) else 0
    if not 0 < number < 1 << 63:
        raise LaurelError(
            Reason.TRANSACTION_NOT_FOUND, "no such transaction", metadata={"transaction_id": text[:64]}
        )
    return number


def parse_hold_id(text: str) -> int:
    """Return the id in its decimal form, HOLD_NOT_FOUND if it is none; holds are numbered with the entries."""
    number = int(text) if _TRANSACTION_ID.fullmatch(text) else 0
    if not 0 < number < 1 << 63:
        raise LaurelError(Reason.HOLD_NOT_FOUND, "no such hold", metadata={"hold_id": text[:64]})
    return number


def sequence_of(transaction_id: int) -> int:
    """Return the place of the entry in the order of the ledger."""
    return transaction_id & _SEQUENCE_MASK


def month_of(transaction_id: int) -> tuple[int, int]:
    """Return the year and month (1 to 12) of the recording, which name the partition."""
    year, month = divmod(transaction_id >> SEQUENCE_BITS, 12)
    return 1970 + year, month + 1


def ids_of_months(since: datetime | None, until: datetime | None) -> tuple[int, int]:
    """Return the half-open range of all ids recorded in the months of two moments and between; None: no bound."""
    first = _month_number(since.year, since.month) if since else 0
    last = _month_number(until.year, until.month) if until else _LAST_MONTH
    return _clamped(first) << SEQUENCE_BITS, _clamped(last + 1) << SEQUENCE_BITS


def _clamped(month: int) -> int:
    return min(max(month, 0), _LAST_MONTH)


def _month_number(year: int, month: int) -> int:
    return (year - 1970) * 12 + month - 1


def _check(pattern: re.Pattern[str], text: str, field: str, message: str) -> str:
    if not pattern.fullmatch(text):
        raise invalid_field(field, message)
    return text
