"""What tests do with badges."""

from datetime import UTC, datetime
from typing import Any

import orjson

from laurel_server.domain.awards import AwardAnswer
from laurel_server.domain.badges import BadgeDefinition
from laurel_server.runtime.wiring import Parts

MONDAY = datetime(2026, 11, 30, tzinfo=UTC)


def types(answer: AwardAnswer) -> list[str]:
    """Return what an award unlocked, but for the badge that everybody gets here who comes early."""
    return [badge.badge_type for badge in answer.badges if badge.badge_type != "EARLY_ADOPTER"]


async def held(parts: Parts, user_id: str) -> dict[str, int]:
    """Return the levels of the user's badges."""
    return {
        badge.badge_type: badge.level
        for badge, _ in await parts.badges.of(user_id)
        if badge.badge_type != "EARLY_ADOPTER"
    }


async def announced(parts: Parts) -> list[tuple[str, str, int]]:
    """Return the unlocks that the outbox has, in order."""
    rows = await parts.pool.fetch("SELECT events::text AS events FROM outbox ORDER BY batch_no")
    events = [event for row in rows for event in orjson.loads(row["events"])]
    return [
        (event["user_id"], event["badge_type"], event["level"])
        for event in events
        if event["type"] == "achievements.unlocked" and event["badge_type"] != "EARLY_ADOPTER"
    ]


async def define(parts: Parts, badge_type: str, rule: str, **more: Any) -> None:
    await parts.rule_book.put_badge(BadgeDefinition(badge_type, rule=rule, **more), "tests")


async def award_badges(parts: Parts) -> int:
    by_standing = await parts.badges.award_by_standing(lambda _: None)
    return by_standing + await parts.badges.sweep(lambda _: None)
