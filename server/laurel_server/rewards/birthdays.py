"""BIRTHDAY_BONUS: once a year, on the day by the program's time zone, whoever calls it and however often."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, tzinfo

from laurel_server.domain.awards import AwardAnswer, AwardCommand
from laurel_server.domain.birthdays import birthdays_on, days_due
from laurel_server.domain.clock import Clock
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.identifiers import transaction_id
from laurel_server.domain.periods import PeriodType, parse_period_id
from laurel_server.pacing import resting
from laurel_server.postgres.birthdays import born_on
from laurel_server.postgres.jobs import covered_until
from laurel_server.postgres.pool import Pool, ledger_errors

ACTION = "BIRTHDAY_BONUS"
CALLER = "laurel"
JOB = "birthday_bonus"

REFUSALS = (
    *(Reason.ACTION_INACTIVE, Reason.DAILY_CAP_REACHED, Reason.COOLDOWN_ACTIVE),
    *(Reason.USER_NOT_FOUND, Reason.SCORE_OUT_OF_RANGE),
)
"""The action is configured so that this user gets nothing now, or he has just been erased, or has no room for it.

The others still do.
"""

AwardBatch = Callable[
    [Sequence[AwardCommand | LaurelError], None], Awaitable[Sequence[AwardAnswer | Exception]]
]


class Birthdays:
    """Gives the bonus as awards with a request_id of the year and the user's number, so that each is given once.

    Not of his id: with that, who comes under the id of somebody who was erased would get the answer of then.

    Whose entries have it already is not asked for again: a request_id is forgotten after a time.
    """

    def __init__(self, award_batch: AwardBatch, pool: Pool, clock: Clock, zone: tzinfo) -> None:
        self._award_batch = award_batch
        self._pool = pool
        self._clock = clock
        self._zone = zone

    async def run(self, tell: Callable[[dict[str, int]], None] = lambda _: None) -> dict[str, int]:
        """Give what is due, for missed days too, and return the counts: awarded, refused. LEDGER_UNAVAILABLE."""
        counts = {"awarded": 0, "refused": 0}
        async with ledger_errors():
            now = self._clock.now()
            covered = await covered_until(self._pool, JOB, now)
            today = now.astimezone(self._zone).date()
            for day in days_due(covered.astimezone(self._zone).date() if covered else None, today):
                await self._celebrate(day, counts)
                tell(counts)
        return counts

    async def _celebrate(self, day: date, counts: dict[str, int]) -> None:
        ends_at = parse_period_id(day.isoformat(), self._zone, PeriodType.DAILY).ends_at
        year_begins = parse_period_id(f"{day.year:04}", self._zone, PeriodType.YEARLY).starts_at
        assert ends_at is not None  # noqa: S101 - days have bounds
        assert year_begins is not None  # noqa: S101 - years, too
        first_id = transaction_id(year_begins, 0)
        async for users in born_on(self._pool, birthdays_on(day), ends_at, _request_id(day.year), first_id):
            async with resting():
                answers = await self._award_batch([_command(*user, day.year) for user in users], None)
            for answer in answers:
                if isinstance(answer, AwardAnswer):
                    counts["awarded"] += not answer.replayed
                elif isinstance(answer, LaurelError) and answer.reason in REFUSALS:
                    counts["refused"] += 1
                else:
                    raise answer


def _request_id(year: int, user_no: int | str = "") -> str:
    return f"birthday:{year}:{user_no}"


def _command(user_no: int, user_id: str, year: int) -> AwardCommand:
    request_id = _request_id(year, user_no)
    return AwardCommand(
        caller=CALLER,
        request_id=request_id,
        user_id=user_id,
        action=ACTION,
        attributes={},
        request_hash=hashlib.blake2b(request_id.encode(), digest_size=16).digest(),
        reason=f"Birthday {year}",
        user_no=user_no,
    )
