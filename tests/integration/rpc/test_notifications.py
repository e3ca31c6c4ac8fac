"""Preferences from the message to what is kept, and back."""

from datetime import UTC, datetime, time
from typing import Any

import pytest

from laurel.admin.v1.notifications_pb2 import (
    GetNotificationPreferencesRequest,
    NotificationPreferences,
    PutNotificationPreferencesRequest,
)
from laurel_server.domain.errors import Reason
from laurel_server.domain.notifications import Kind, Preferences
from tests.integration.rpc.harness import Served, refused


async def test_preferences_are_kept_whole(served: Served) -> None:
    wanted = NotificationPreferences(
        user_id="ada", muted=["TIER_CHANGED"], quiet_from="22:00", quiet_until="07:30"
    )
    wanted.paused_until.FromDatetime(datetime(2026, 12, 24, tzinfo=UTC))
    answer = await served.admin.PutNotificationPreferences(
        PutNotificationPreferencesRequest(preferences=wanted)
    )
    assert answer.preferences == wanted
    assert served.preferences.kept["ada"] == Preferences(
        frozenset({Kind.TIER_CHANGED}), time(22), time(7, 30), datetime(2026, 12, 24, tzinfo=UTC)
    )
    read = await served.admin.GetNotificationPreferences(GetNotificationPreferencesRequest(user_id="ada"))
    assert read.preferences == wanted


async def test_a_user_without_preferences_is_told_of_all(served: Served) -> None:
    read = await served.admin.GetNotificationPreferences(GetNotificationPreferencesRequest(user_id="ada"))
    assert read.preferences == NotificationPreferences(user_id="ada")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"quiet_from": "22:00"}, "preferences.quiet_until"),
        ({"quiet_from": "24:00", "quiet_until": "07:00"}, "preferences.quiet_from"),
        ({"muted": ["GOSSIP"]}, "preferences.muted[0]"),
    ],
)
async def test_wrong_preferences_name_the_field(served: Served, wrong: dict[str, Any], field: str) -> None:
    wanted = NotificationPreferences(user_id="ada", **wrong)
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.admin.PutNotificationPreferences(PutNotificationPreferencesRequest(preferences=wanted))
    assert list(refusal.fields) == [field]


async def test_an_unknown_user_has_none(served: Served) -> None:
    with refused(Reason.USER_NOT_FOUND):
        await served.admin.GetNotificationPreferences(GetNotificationPreferencesRequest(user_id="nobody"))
