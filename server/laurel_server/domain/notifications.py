"""Notifications: what a user is told of all that happens, in which words, and when it does not disturb him."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any, Final, NamedTuple

from laurel_server.domain.boards import is_score_board
from laurel_server.domain.ranks import MILESTONES, movement_message
from laurel_server.domain.wording import counted


class Kind(StrEnum):
    """What a notification is about."""

    RANK_CHANGED = "RANK_CHANGED"
    RANK_MILESTONE = "RANK_MILESTONE"
    POINTS_MILESTONE = "POINTS_MILESTONE"
    TIER_CHANGED = "TIER_CHANGED"
    BADGE_UNLOCKED = "BADGE_UNLOCKED"
    PERIOD_WON = "PERIOD_WON"
    POINTS_EXPIRING = "POINTS_EXPIRING"


@dataclass(frozen=True, slots=True)
class Notification:
    """Something to tell a user. `id` is the same however often it is made; `data` holds the facts of the message.

    `user_no` is the number of who is meant: by now somebody else may have his id. 0: whoever has it.
    """

    id: str
    user_id: str
    kind: Kind
    message: str
    data: Mapping[str, str]
    created_at: datetime
    user_no: int = 0


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a user wants to be told, and when not.

    In `[quiet_from, quiet_until)` of his own time zone, which may go over midnight, notifications wait; equal or
    None: there is no such time. Until `paused_until` all of them wait. `user_no` is his number in the ledger.
    """

    muted: frozenset[Kind] = frozenset()
    quiet_from: time | None = None
    quiet_until: time | None = None
    paused_until: datetime | None = None
    zone: tzinfo = UTC
    user_no: int = 0

    def is_of(self, notification: Notification) -> bool:
        """Whether the notification is for him, and not for somebody who had his id before."""
        return notification.user_no in {0, self.user_no}

    def wants(self, kind: Kind) -> bool:
        """Whether the user is told of such things at all."""
        return kind not in self.muted

    def earliest(self, now: datetime) -> datetime:
        """Return the first moment from `now` on at which the user may be told something."""
        moment = max(now, self.paused_until) if self.paused_until else now
        return self._end_of_quiet(moment) if self._is_quiet(moment) else moment

    def _is_quiet(self, moment: datetime) -> bool:
        if self.quiet_from is None or self.quiet_until is None or self.quiet_from == self.quiet_until:
            return False
        local = moment.astimezone(self.zone).time()
        if self.quiet_from < self.quiet_until:
            return self.quiet_from <= local < self.quiet_until
        return local >= self.quiet_from or local < self.quiet_until

    def _end_of_quiet(self, moment: datetime) -> datetime:
        local = moment.astimezone(self.zone)
        end = datetime.combine(local.date(), self.quiet_until or time(), self.zone)
        if end <= local:
            end = datetime.combine(local.date() + timedelta(days=1), self.quiet_until or time(), self.zone)
        return end.astimezone(UTC)


def moment_for(
    notification: Notification, preferences: Mapping[str, Preferences], now: datetime
) -> datetime | None:
    """Return the first moment from `now` on at which its user may be told; None: he wants it not, or is gone."""
    wanted = preferences.get(notification.user_id)
    if wanted is None or not wanted.is_of(notification) or not wanted.wants(notification.kind):
        return None
    return wanted.earliest(now)


class ToldRank(NamedTuple):
    """The rank that a user was told last, and when."""

    rank: int
    told_at: datetime


LAST_MILESTONE: Final = 100
"""The worst rank that is worth a word of its own."""

POINTS_MILESTONES: Final = tuple(step * 10**power for power in range(3, 12) for step in (1, 5))


def notices_of(event_id: str, body: Mapping[str, Any], now: datetime) -> Iterator[Notification]:
    """Yield what an event of the outbox has to tell its user. KeyError, TypeError, ValueError for a malformed one."""
    user_no = int(body.get("user_no", 0))  # older events have none
    for notice in _notices_of(event_id, body, now):
        yield replace(notice, user_no=user_no)


def _notices_of(event_id: str, body: Mapping[str, Any], now: datetime) -> Iterator[Notification]:
    match body["type"]:
        case "rewards.earned":
            yield from _points_milestones(event_id, body, now)
            yield from _tier_notice(event_id, body, body["tier_before"], body["tier"], now)
        case "tier.changed":
            yield from _tier_notice(event_id, body, body["from_tier"], body["to_tier"], now)
        case "achievements.unlocked":
            yield _badge_notice(event_id, body, now)
        case "period.won":
            yield _winner_notice(event_id, body, now)
        case "points.expiring":
            yield _expiry_notice(event_id, body, now)
        case _:
            return


def _points_milestones(event_id: str, body: Mapping[str, Any], now: datetime) -> Iterator[Notification]:
    after = int(body["lifetime_points"])
    reached = bisect_right(POINTS_MILESTONES, after)
    if bisect_right(POINTS_MILESTONES, after - int(body["points"])) < reached:
        points = POINTS_MILESTONES[reached - 1]
        data = {"points": str(points)}
        message = f"You have earned {points:,} points!"
        yield Notification(
            f"{event_id}.milestone", body["user_id"], Kind.POINTS_MILESTONE, message, data, now
        )


def _tier_notice(
    event_id: str, body: Mapping[str, Any], before: str, after: str, now: datetime
) -> Iterator[Notification]:
    if before != after:
        data = {"from_tier": before, "to_tier": after}
        message = f"You are {after.capitalize()} now"
        yield Notification(f"{event_id}.tier.notice", body["user_id"], Kind.TIER_CHANGED, message, data, now)


def _badge_notice(event_id: str, body: Mapping[str, Any], now: datetime) -> Notification:
    badge, level = body["badge_type"], int(body.get("level", 1))
    data = {"badge_type": badge, "level": str(level)}
    message = f"You have earned the badge {badge}"
    notice_id = f"{event_id}.{badge}.{level}.notice"  # without the end it is the id of what is told of
    return Notification(notice_id, body["user_id"], Kind.BADGE_UNLOCKED, message, data, now)


def _winner_notice(event_id: str, body: Mapping[str, Any], now: datetime) -> Notification:
    names = ("scope", "period_id", "rank", "score", "bonus_points", "transaction_id")
    bonus = int(body["bonus_points"])
    where = body["scope"] if is_score_board(str(body["scope"])) else body["period_id"]
    message = f"You came in at rank {body['rank']} in {where}: {counted(bonus, 'point')} for you!"
    return Notification(
        f"{event_id}.won.notice",  # of the prize: a board that is created again may pay for the same period once more
        body["user_id"],
        Kind.PERIOD_WON,
        message,
        {name: str(body[name]) for name in names},
        now,
    )


def _expiry_notice(event_id: str, body: Mapping[str, Any], now: datetime) -> Notification:
    day = str(body["expires_at"])[:10]
    data = {name: str(body[name]) for name in ("points", "days_before", "expires_at")}
    points = int(body["points"])
    message = f"{points:,} of your points {'expires' if points == 1 else 'expire'} on {day}"
    return Notification(f"{event_id}.expiring", body["user_id"], Kind.POINTS_EXPIRING, message, data, now)


def rank_notice(
    event_id: str, user_id: str, rank: int, told: ToldRank | None, now: datetime, every: timedelta
) -> Notification | None:
    """Return what to tell of the rank that a user has now; None: nothing, or not again so soon.

    A new milestone is told at once, any other move when `every` has passed since the last one. A rank that is
    known for the first time is told only if it is a milestone.
    """
    reached = _milestone(rank)
    if reached and (told is None or _milestone(told.rank) not in range(1, reached + 1)):
        words = "You are at the very top!" if reached == 1 else f"You have reached the top {reached:,}!"
        data = {"rank": str(rank), "milestone": str(reached)}
        return Notification(f"{event_id}.rank", user_id, Kind.RANK_MILESTONE, words, data, now)
    if told is None or told.rank == rank or now < told.told_at + every:
        return None
    data = {"rank": str(rank), "previous_rank": str(told.rank)}
    words = movement_message(told.rank, rank)
    return Notification(f"{event_id}.rank", user_id, Kind.RANK_CHANGED, words, data, now)


MILESTONE_RANKS: Final = tuple(step for step in MILESTONES if step <= LAST_MILESTONE)


def _milestone(rank: int) -> int:
    """Return the best of 1, 3, 10, 20, 50, 100 that a rank reaches; 0 for none."""
    return next((step for step in MILESTONE_RANKS if 0 < rank <= step), 0)
