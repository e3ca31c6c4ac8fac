import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from laurel_server.domain.chain import FIRST_SEAL, batch_digest, canonical_entry, seal
from tests.unit.rpc.samples import ENTRY

INPUTS = '{"config":1}'


def digest(**changes: Any) -> bytes:
    return batch_digest([canonical_entry(replace(ENTRY, **changes), 5, INPUTS)])


def test_a_digest_can_be_recomputed_by_anybody() -> None:
    entry = [
        ENTRY.transaction_id, 5, "PURCHASE", 149, "99.9", "1.5", "o-1", "f-1", "n-1", "because", "shop", "r-1",
        "2026-11-23T10:30:15.123456Z", "2026-11-23T09:30:15.123456Z", None, "2027-11-23T10:30:15.123456Z",
        682 << 48 | 1, 1149, INPUTS,
    ]  # fmt: skip
    written = json.dumps([entry], separators=(",", ":"))
    assert digest() == hashlib.sha256(written.encode()).digest()


@pytest.mark.parametrize(
    "changes",
    [
        {"transaction_id": 1},
        {"action": "REVIEW"},
        {"points": 150},
        {"base_points": Decimal("99.91")},
        {"multiplier": Decimal(2)},
        {"order_id": "o-2"},
        {"referral_id": "f-2"},
        {"reference_id": "n-2"},
        {"reason": ""},
        {"created_by": "me"},
        {"request_id": "r-2"},
        {"transaction_time": ENTRY.transaction_time + timedelta(microseconds=1)},
        {"occurred_at": ENTRY.transaction_time},
        {"activates_at": ENTRY.transaction_time},
        {"expires_at": None},
        {"reverses_transaction_id": 0},
        {"balance_after": 0},
    ],
)
def test_every_field_counts(changes: dict[str, Any]) -> None:
    assert digest(**changes) != digest()


def test_whose_entry_it_is_and_what_it_was_made_from_counts() -> None:
    assert batch_digest([canonical_entry(ENTRY, 6, INPUTS)]) != digest()
    assert batch_digest([canonical_entry(ENTRY, 5, INPUTS + " ")]) != digest()


def test_a_name_may_be_erased() -> None:
    assert digest(user_id="~5") == digest()


def test_how_a_value_is_written_does_not_count() -> None:
    east = timezone(timedelta(hours=9))
    assert digest(base_points=Decimal("99.9")) == digest(base_points=Decimal("99.900"))
    assert digest(multiplier=Decimal("1E+2")) == digest(multiplier=Decimal(100))
    assert digest(occurred_at=ENTRY.occurred_at.astimezone(east)) == digest()
    assert digest(occurred_at=datetime(2026, 1, 1, 9, tzinfo=east)) == digest(
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC)
    )


def test_a_seal_binds_all_that_was_before() -> None:
    first = seal(FIRST_SEAL, 1, digest())
    assert first == hashlib.sha256(bytes(32) + (1).to_bytes(8, "big") + digest()).digest()
    assert (
        len({first, seal(FIRST_SEAL, 2, digest()), seal(first, 1, digest()), seal(FIRST_SEAL, 1, first)}) == 4
    )
