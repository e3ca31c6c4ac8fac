"""The hash chain over the ledger: what a batch's digest covers, and how digests are sealed one behind the other.

Anybody can recompute it from the tables. The digest of a batch is SHA-256 over the JSON array of its entries in the
order of their ids, each an array of the fields in `canonical_entry`. The seal of a batch is SHA-256 over the seal
before it (32 zero bytes at first), its number (8 bytes, big-endian) and its digest.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, TypeAlias

import orjson

from laurel_server.domain.decimals import decimal_text
from laurel_server.domain.ledger import LedgerEntry

Canonical: TypeAlias = tuple[object, ...]
"""An entry as the digest covers it: integers, texts, moments in UTC, None."""

FIRST_SEAL: Final = bytes(32)
"""What stands before the first batch."""

_decimal = lru_cache(maxsize=4096)(decimal_text)


def canonical_entry(entry: LedgerEntry, user_no: int, inputs: str) -> Canonical:
    """Return every stored field of an entry. The user goes by his number, which outlives his erasure."""
    return (
        entry.transaction_id,
        user_no,
        entry.action,
        entry.points,
        _decimal(entry.base_points),
        _decimal(entry.multiplier),
        entry.order_id,
        entry.referral_id,
        entry.reference_id,
        entry.reason,
        entry.created_by,
        entry.request_id,
        _utc(entry.transaction_time),
        _utc(entry.occurred_at),
        _utc(entry.activates_at),
        _utc(entry.expires_at),
        entry.reverses_transaction_id,
        entry.balance_after,
        inputs,
    )


def batch_digest(entries: Sequence[Canonical]) -> bytes:
    """Return the digest of a batch, whose entries come in the order of their ids. Cost: 2 us an entry."""
    return hashlib.sha256(orjson.dumps(entries, option=orjson.OPT_UTC_Z)).digest()


def seal(before: bytes, batch_no: int, digest: bytes) -> bytes:
    """Return the seal of a batch behind the seal `before`."""
    return hashlib.sha256(before + batch_no.to_bytes(8, "big") + digest).digest()


def _utc(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo is UTC else moment.astimezone(UTC)
