"""Where a user stood, day by day."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, NamedTuple

from laurel_server.domain.ranks import movement_message

DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)

NOTED_AT: Final = time(23, 50)
"""When a day counts as ended, by the program's clock: before its periods are over."""

MOST_MISSED_DAYS: Final = 31
"""How many days that were missed are made up for; those before have no points."""


class DayEnd(NamedTuple):
    """A day, and the moment of which its ranks are."""

    day: date
    moment: datetime


def ends_to_note(covered: datetime | None, now: datetime, zone: tzinfo) -> list[DayEnd]:
    """Return the ends of days after `covered` up to `now`, oldest first; today as it is now if there is none.

    Nobody was awarded anything while no server ran, so that what stands now stood at each of the ends that were missed.
    """
    today = now.astimezone(zone).date()
    ends = [
        DayEnd(day, datetime.combine(day, NOTED_AT, zone).astimezone(UTC))
        for day in (today - ago * DAY for ago in range(MOST_MISSED_DAYS, -1, -1))
    ]
    missed = [end for end in ends if covered is not None and covered < end.moment <= now]
    return missed[-MOST_MISSED_DAYS:] or [DayEnd(today, now)]


class RankPoint(NamedTuple):
    """A user's place on a board at the end of a day."""

    period_id: str
    taken_at: datetime
    rank: int
    score: int
    total: int


class RankMovement(NamedTuple):
    """A user's rank now, and at the end of yesterday and of the same day a week ago; 0: not on the board, or not known.

    `message` says how he has moved since yesterday, "" if there is nothing to say.
    """

    rank: int
    yesterday: int
    last_week: int
    message: str

    @property
    def since_yesterday(self) -> int:
        """Ranks gained since yesterday, negative if lost; 0 if he was or is not on the board."""
        return _gained(self.yesterday, self.rank)

    @property
    def since_last_week(self) -> int:
        """Ranks gained since a week ago, as `since_yesterday`."""
        return _gained(self.last_week, self.rank)


def rank_movement(rank: int, taken: Mapping[date, int], today: date) -> RankMovement:
    """Return how a user has moved, given his rank now and the ranks taken at the end of earlier days."""
    yesterday, last_week = (taken.get(today - ago, 0) for ago in (DAY, WEEK))
    message = movement_message(yesterday, rank) if yesterday and rank else ""
    return RankMovement(rank, yesterday, last_week, message)


def _gained(before: int, now: int) -> int:
    return before - now if before and now else 0
