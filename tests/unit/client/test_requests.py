"""Requests out of plain values."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from laurel_client import Period, PeriodName, award, board


def test_every_award_gets_a_request_id_of_its_own() -> None:
    first, second = award("ada", "REVIEW"), award("ada", "REVIEW")
    assert first.request_id
    assert first.request_id != second.request_id


def test_a_given_request_id_is_kept() -> None:
    assert award("ada", "REVIEW", request_id="r-1").request_id == "r-1"


def test_attributes_keep_their_digits() -> None:
    request = award("ada", "PURCHASE", {"a": "1.10", "b": 3, "c": Decimal("0.30")})
    assert dict(request.attributes) == {"a": "1.10", "b": "3", "c": "0.30"}


def test_a_float_is_no_amount() -> None:
    inexact: Any = {"order_value": 0.1}
    with pytest.raises(TypeError, match="order_value is a float"):
        award("ada", "PURCHASE", inexact)


def test_moments_are_sent_in_utc() -> None:
    moment = datetime(2026, 11, 23, 2, tzinfo=timezone(timedelta(hours=2)))
    request = award("ada", "REVIEW", occurred_at=moment)
    assert request.occurred_at.ToDatetime(UTC) == datetime(2026, 11, 23, tzinfo=UTC)
    assert not request.HasField("activates_at")


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        award("ada", "REVIEW", activates_at=datetime(2026, 11, 23))  # noqa: DTZ001 - the fault itself


def test_all_else_is_passed_on() -> None:
    request = award(
        "ada", "REVIEW", order_id="o", referral_id="f", reference_id="x", reason="why", validate_only=True
    )
    sent = (
        request.order_id,
        request.referral_id,
        request.reference_id,
        request.reason,
        request.validate_only,
    )
    assert sent == ("o", "f", "x", "why", True)


@pytest.mark.parametrize(
    ("name", "period"),
    [
        ("daily", Period.PERIOD_DAILY),
        ("weekly", Period.PERIOD_WEEKLY),
        ("monthly", Period.PERIOD_MONTHLY),
        ("quarterly", Period.PERIOD_QUARTERLY),
        ("yearly", Period.PERIOD_YEARLY),
        ("all", Period.PERIOD_ALL_TIME),
    ],
)
def test_boards_are_named_in_words(name: PeriodName, period: Period.ValueType) -> None:
    ref = board("country:US", name, "id")
    assert (ref.scope, ref.period, ref.period_id) == ("country:US", period, "id")
