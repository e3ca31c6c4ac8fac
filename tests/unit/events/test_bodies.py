"""Records that were made of events, read back as Laurel's own consumers do."""

from collections.abc import Mapping
from typing import Any

import pytest

from laurel_server.events.bodies import body_of
from laurel_server.events.messages import records_of
from laurel_server.events.outbox import OutboxEvent

MOMENT = "2026-11-30T12:00:00+00:00"
ENTRY = {
    "transaction_id": "77",
    "action": "REVIEW",
    "points": 1,
    "total_points": 1,
    "lifetime_points": 1,
    "tier": "BRONZE",
    "tier_before": "BRONZE",
    "occurred_at": MOMENT,
    "recorded_at": MOMENT,
}
EVENTS: Mapping[str, Mapping[str, Any]] = {
    "rewards.earned": ENTRY,
    "rewards.changed": {**ENTRY, "reverses_transaction_id": "76"},
    "tier.changed": {"from_tier": "BRONZE", "to_tier": "SILVER", "changed_at": MOMENT},
    "achievements.unlocked": {"badge_type": "TOP_10", "level": 2, "earned_at": MOMENT},
    "period.won": {
        "scope": "global",
        "period_id": "2026-W48",
        "rank": 1,
        "score": 30,
        "bonus_points": 1000,
        "transaction_id": "77",
        "closed_at": MOMENT,
    },
    "points.expiring": {"points": 5, "days_before": 7, "expires_at": MOMENT, "recorded_at": MOMENT},
    "user.erased": {"erased_at": MOMENT},
}


def heard(kind: str, **more: object) -> Mapping[str, Any]:
    """Return the body of an event of that type that went over Kafka."""
    event = OutboxEvent(9, 3, {"type": kind, "user_id": "ada", **EVENTS[kind], **more})
    (record,) = records_of(event, None)
    assert record.topic == kind
    event_id, body = body_of(kind, record.payload)
    assert event_id == event.id
    return body


@pytest.mark.parametrize("kind", EVENTS)
def test_who_is_meant_goes_both_ways(kind: str) -> None:
    body = heard(kind, user_no=1 << 40)
    assert (body["type"], body["user_id"], body["user_no"]) == (kind, "ada", 1 << 40)


@pytest.mark.parametrize("kind", EVENTS)
def test_an_event_from_before_numbers_means_whoever_has_the_id(kind: str) -> None:
    body = heard(kind)
    assert (body["user_id"], body["user_no"]) == ("ada", 0)
