"""Where everybody stood at the end of each day."""

from datetime import datetime, tzinfo
from itertools import groupby
from typing import Protocol

from laurel_server.domain.clock import Clock
from laurel_server.domain.closing import terms_of
from laurel_server.domain.errors import LaurelError, Reason, user_not_found
from laurel_server.domain.rank_history import (
    DAY,
    WEEK,
    RankMovement,
    RankPoint,
    ends_to_note,
    rank_movement,
)
from laurel_server.domain.views import Board, Place
from laurel_server.periods.close import Tell
from laurel_server.postgres import rank_history
from laurel_server.postgres.jobs import covered_until
from laurel_server.postgres.pool import Pool, ledger_errors
from laurel_server.rewards.rule_book import RuleBook

JOB = "snapshot_ranks"


class Boards(Protocol):
    """Reads boards."""

    async def place(self, board: Board, user_id: str) -> Place:
        """Return where a user stands. USER_NOT_FOUND, NOT_ON_BOARD."""
        ...


class RankHistory:
    """Takes and reads ranks; `zone` says when a day ends."""

    def __init__(self, pool: Pool, boards: Boards, rule_book: RuleBook, clock: Clock, zone: tzinfo) -> None:
        self._pool = pool
        self._boards = boards
        self._rule_book = rule_book
        self._clock = clock
        self._zone = zone

    async def take(self, progress: Tell) -> dict[str, int]:
        """Note where everybody stood at the end of each day since the last time, on the boards that ran then.

        Before the end of a day it notes the day as it is; the end replaces that. Cost: one statement a period, and each
        line once a day; nothing waits for it. LEDGER_UNAVAILABLE.
        """
        now, lines, boards = self._clock.now(), 0, 0
        async with ledger_errors():
            covered = await covered_until(self._pool, JOB, now)
            ends = ends_to_note(covered, now, self._zone)
            running = await rank_history.boards_since(self._pool, ends[0].moment)
            for _, some in groupby(running, key=lambda each: (each.board.period_id, each.ends_at)):
                instances = list(some)
                within = [end for end in ends if instances[0].contains(end.moment)]
                if not within:
                    continue
                rules = await self._rule_book.current()  # another server may have created a board just now
                terms = {each: terms_of(each.board, rules.matrix, rules.boards) for each in instances}
                lines += await rank_history.take_ranks(self._pool, terms, within)
                boards += len(terms)
                progress(lines)
        return {"boards": boards, "days": len(ends), "lines": lines}

    async def points(
        self,
        board: Board,
        user_id: str,
        between: tuple[datetime | None, datetime | None],
        offset: int,
        limit: int,
        *,
        all_periods: bool,
    ) -> list[RankPoint]:
        """Return where a user stood on a board, oldest first; `all_periods`: in all periods of its type.

        USER_NOT_FOUND, LEDGER_UNAVAILABLE.
        """
        async with ledger_errors():
            user_no = await self._number(user_id)
            period_id = "" if all_periods else board.key.period_id
            return await rank_history.ranks_of(
                self._pool, board.key.scope, board.period.type, period_id, user_no, between, offset, limit
            )

    async def movement(self, board: Board, user_id: str, *, all_periods: bool) -> RankMovement:
        """Return how a user has moved since yesterday and last week; `all_periods`: against the boards then.

        USER_NOT_FOUND, BOARDS_REBUILDING.
        """
        today = self._clock.now().astimezone(self._zone).date()
        async with ledger_errors():
            user_no = await self._number(user_id)
            period_id = "" if all_periods else board.key.period_id
            days = [today - DAY, today - WEEK]
            taken = await rank_history.ranks_on(
                self._pool, board.key.scope, board.period.type, period_id, user_no, days
            )
        return rank_movement(await self._rank(board, user_id), taken, today)

    async def _number(self, user_id: str) -> int:
        user_no = await rank_history.user_number(self._pool, user_id)
        if user_no is None:
            raise user_not_found(user_id)
        return user_no

    async def _rank(self, board: Board, user_id: str) -> int:
        try:
            return (await self._boards.place(board, user_id)).rank
        except LaurelError as error:
            if error.reason is Reason.NOT_ON_BOARD:
                return 0
            raise
