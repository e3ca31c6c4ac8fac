"""The close of periods: freeze, snapshot, prizes, announcement, archive. Can be killed anywhere and run again.

The state of each step is in the ledger, and none is taken back:

1. `closing`   what is over is CLOSING.
2. `sealed`    no award that begins now counts in it; those under way have ended.
3. `frozen`    totals are in `period_totals`, and scores say who sees whom: the standing changes no more.
4. `snapshot`  numbers, best lines and winners are written down, together.
5. `paid`      every winner has his entry, and badges for final ranks on the global board are given.
6. `completed` COMPLETED, and the outbox tells of it, in one transaction.
7. `archived`  14 days after its end: ARCHIVED, and out of Redis.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Protocol

import structlog

from laurel_server.domain.awards import Rules
from laurel_server.domain.board_owners import BoardOwners
from laurel_server.domain.boards import GLOBAL, BoardKey, is_score_board
from laurel_server.domain.clock import Clock
from laurel_server.domain.closing import ARCHIVE_AFTER, Terms, terms_of
from laurel_server.periods.announcements import closed, won
from laurel_server.periods.freeze import freeze, freeze_scores
from laurel_server.periods.prizes import Awards, pay_winners
from laurel_server.periods.snapshots import take_snapshots
from laurel_server.postgres import closing
from laurel_server.postgres.history import all_winners
from laurel_server.postgres.outbox import announce
from laurel_server.postgres.pool import Pool, ledger_errors
from laurel_server.postgres.scores import Instance
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.keys import all_keys, slot_names
from laurel_server.rewards.rule_book import RuleBook

log = structlog.get_logger()

Tell = Callable[[int], None]


class Badges(Protocol):
    """Gives badges."""

    async def crown(self, board: BoardKey, terms: Terms) -> int:
        """Give what final ranks on a frozen global board unlock; nothing is given twice."""
        ...


async def _go_on(_step: str) -> None:
    return


class PeriodClose:
    """Closes what is due. `reached` is called after each step, by its name."""

    def __init__(
        self,
        pool: Pool,
        redis: RedisConnection,
        rule_book: RuleBook,
        awards: Awards,
        badges: Badges,
        clock: Clock,
        reached: Callable[[str], Awaitable[None]] = _go_on,
    ) -> None:
        self._pool = pool
        self._redis = redis
        self._rule_book = rule_book
        self._awards = awards
        self._badges = badges
        self._clock = clock
        self._reached = reached

    async def run(self, progress: Tell) -> dict[str, int]:
        """Close all periods that are due, oldest first; return how many boards were closed, paid for, archived.

        `progress` is told the boards closed so far. LEDGER_UNAVAILABLE, RedisUnavailable.
        """
        now = self._clock.now()
        boards_closed = paid = 0
        async with ledger_errors():
            await closing.begin_closing(self._pool, now)
            await self._reached("closing")
            for end in await closing.ends_due(self._pool, now - self._rule_book.latest_read.grace):
                boards, bonuses = await self._close(end, now)
                boards_closed, paid = boards_closed + boards, paid + bonuses
                progress(boards_closed)
            archived = await self._archive(now)
        return {"closed": boards_closed, "paid": paid, "archived": archived}

    async def _close(self, end: datetime, now: datetime) -> tuple[int, int]:
        """Close the periods that ended at one moment; a week ends together with its Sunday."""
        rules = await self._rule_book.close_through(end)
        await closing.lanes_have_moved_on(self._pool)
        await self._reached("sealed")
        users = await self._freeze(await closing.boards_ended(self._pool, end), rules)
        await self._reached("frozen")
        boards = await closing.boards_ended(self._pool, end)  # who moved until then may have begun another
        period_ids = list(dict.fromkeys(board.period_id for board in boards))
        for period_id, some in groupby(boards, key=lambda board: board.period_id):
            await take_snapshots(self._pool, period_id, list(some), rules, end, now)
            await self._reached("snapshot")
        paid = 0
        for period_id in period_ids:
            paid += await pay_winners(self._pool, self._awards, period_id, end)
            board = BoardKey(GLOBAL, period_id)
            if board in boards:
                await self._badges.crown(board, terms_of(board, rules.matrix, rules.boards))
            await self._reached("paid")
        completed = await self._complete(boards, end, now)
        await self._reached("completed")
        log.info("periods.closed", periods=period_ids, boards=len(completed), users=users, paid=paid)
        return len(completed), paid

    async def _freeze(self, boards: Sequence[BoardKey], rules: Rules) -> int:
        """Freeze the standings and return how many users had points in the periods."""
        scored = [board for board in boards if is_score_board(board.scope)]
        for board in scored:
            config = rules.boards.get(board.scope)
            if config is not None:  # nobody has deleted it meanwhile
                await freeze_scores(self._pool, Instance(config.board_no, board.period_id))
        counted = dict.fromkeys(board.period_id for board in boards if board not in scored)
        return await freeze(self._pool, list(counted), rules.matrix) if counted else 0

    async def _complete(self, boards: Sequence[BoardKey], end: datetime, now: datetime) -> list[BoardKey]:
        """Complete the boards that went through all steps, and tell who was paid; one begun since is closed next."""
        async with self._pool.acquire() as connection, connection.transaction():
            completed = await closing.complete(connection, boards, end, now)
            await announce(connection, [closed(board, now) for board in completed])
            async for winners in all_winners(connection, completed):
                paid = [
                    (board, winner) for board, winner in winners if winner.transaction_id and winner.user_id
                ]
                await announce(connection, [won(*each, now) for each in paid])
        return completed

    async def _archive(self, now: datetime) -> int:
        boards = await closing.archive(self._pool, now - ARCHIVE_AFTER)
        await self._reached("archived")
        if boards:
            await self._drop(boards)
            await closing.note_dropped(self._pool, boards, now)
        return len(boards)

    async def _drop(self, boards: Sequence[BoardKey]) -> None:
        """Take the keys of archived boards out of Redis; freed in its background."""
        owners = BoardOwners(self._rule_book.latest_read.boards.values())
        for board in boards:
            owner = owners.owner_of(board)
            for slot in slot_names(owner.slots if owner else 1):
                await self._redis.call("UNLINK", *all_keys(board, slot))
