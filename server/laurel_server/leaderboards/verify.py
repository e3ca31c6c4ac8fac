"""The boards' part of VerifyIntegrity: every board lists exactly whom the ledger puts there, in that order.

A place is decided by the score and the member's name in the sorted set, which carries the sub-score and when both were
reached. So the order is right if every expected member is there with its score, and nobody else is.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from itertools import chain
from typing import NamedTuple, TypeAlias

from laurel_server.domain.boards import BoardKey, Visibility, is_score_board
from laurel_server.domain.views import Check
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.placing import boards_of
from laurel_server.leaderboards.reading import look, rebuilding
from laurel_server.leaderboards.score_seats import place_of
from laurel_server.postgres import scores, standings
from laurel_server.postgres.pool import Pool, ledger_errors
from laurel_server.postgres.scores import Scorer
from laurel_server.postgres.standings import Member
from laurel_server.postgres.verify import bounds_of_users
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.errors import RedisRefused, RedisUnavailable
from laurel_server.redis.keys import board_keys, slot_names, slot_of, tie
from laurel_server.rewards.findings import Progress, unnoticed

CHUNK = 500
SHOWN = 5
LOOKS = 3
LOOK_AGAIN_SECONDS = 0.3
"""A difference counts if it is still there after this: awards that are on their way explain others."""


class Expected(NamedTuple):
    """What a board must hold for one user."""

    board: BoardKey
    user_no: int
    user_id: str
    member: str
    score: int


Again: TypeAlias = Callable[[Sequence[Expected]], Awaitable[list[Expected]]]


async def verify_boards(
    pool: Pool, redis: RedisConnection, catalogue: Catalogue, progress: Progress = unnoticed
) -> list[Check]:
    """Compare all boards with the ledger, in chunks. BOARDS_REBUILDING when Redis is away."""
    comparison = _Comparison(pool, redis, catalogue, progress)
    try:
        async with ledger_errors():
            await comparison.compare_members()
            await comparison.compare_scores()
            await comparison.compare_totals()
    except RedisUnavailable as away:
        raise rebuilding(BoardKey("", "")) from away
    return comparison.checks()


class _Comparison:
    def __init__(self, pool: Pool, redis: RedisConnection, catalogue: Catalogue, progress: Progress) -> None:
        self._pool = pool
        self._redis = redis
        self._catalogue = catalogue
        self._progress = progress
        self._registered: set[BoardKey] = set()
        self._totals: Counter[BoardKey] = Counter()
        self._checked = 0
        self._wrong: list[str] = []
        self._surplus: list[str] = []
        self._incomplete: list[str] = []

    async def compare_members(self) -> None:
        """Compare every total of an open period, and then of closed ones that are still in Redis, with its place.

        Cost: all hot rows and those closed totals once, and a script call a chunk and board slot.
        """
        users = (await bounds_of_users(self._pool)).users
        await self._points_boards()
        async for chunk in standings.scan_open_totals(self._pool, CHUNK):
            await self._compare(chunk)
            await self._progress("boards", len(chunk), users)
        for period_id in sorted({board.period_id for board in await self._points_boards()}):
            async for chunk in standings.scan_period(self._pool, CHUNK, period_id):
                await self._compare(chunk)
                await self._progress("boards", 0, users)

    async def compare_scores(self) -> None:
        """Compare every score of a score board with its place. Cost: all of them once, and a script call a chunk."""
        for board in await scores.instances(self._pool):
            async for chunk in scores.scan(self._pool, board, CHUNK):
                await self._check(self._expected_scores(chunk), self._scores_now)
                await self._progress("boards", 0, 0)

    async def compare_totals(self) -> None:
        """Find boards that list more users than the ledger puts there, and those that cannot be read."""
        incomplete, surplus = list[BoardKey](), dict[BoardKey, int]()
        for board in await self._boards():
            complete, total = await self._look(board)
            if not complete and await self._still_incomplete(board):
                incomplete.append(board)
            if total > self._totals[board] and await self._still_more(board):
                surplus[board] = total - self._totals[board]
        if incomplete or surplus:
            left = set(await self._boards())  # without those that were deleted meanwhile
            self._incomplete += [f"{board.scope} {board.period_id}" for board in incomplete if board in left]
            self._surplus += [
                f"{board.scope} {board.period_id}: {more} too many"
                for board, more in surplus.items()
                if board in left
            ]

    def checks(self) -> list[Check]:
        return [
            Check(
                "boards_equal_totals",
                not self._wrong,
                self._checked,
                len(self._wrong),
                "; ".join(self._wrong[:SHOWN]),
            ),
            Check(
                "boards_list_nobody_else",
                not self._surplus,
                len(self._totals),
                len(self._surplus),
                "; ".join(self._surplus[:SHOWN]),
            ),
            Check(
                "boards_are_complete",
                not self._incomplete,
                len(self._totals),
                len(self._incomplete),
                "; ".join(self._incomplete[:SHOWN]),
            ),
        ]

    async def _boards(self) -> Sequence[BoardKey]:
        return (*await self._points_boards(), *await scores.instances(self._pool))

    async def _points_boards(self) -> Sequence[BoardKey]:
        """Return the instances of points boards; on others is nobody: those of a board that was created anew since."""
        boards = await standings.registered_boards(self._pool)
        self._registered.update(boards)
        return boards

    async def _compare(self, members: Sequence[Member]) -> None:
        async def again(wrong: Sequence[Expected]) -> list[Expected]:
            return await self._expected_now(wrong, members)

        await self._check(self._expected(members), again)

    async def _check(self, expected: Sequence[Expected], again: Again) -> None:
        """Compare lines with the boards; `again` reads those that differ once more."""
        self._checked += len(expected)
        self._totals.update(each.board for each in expected)
        wrong = await self._differences(expected)
        for _ in range(LOOKS):
            if not wrong:
                return
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            wrong = await self._differences(await again(wrong))
        self._wrong += [f"{each.user_id} on {each.board.scope} {each.board.period_id}" for each in wrong]

    async def _expected_now(self, wrong: Sequence[Expected], members: Sequence[Member]) -> list[Expected]:
        """Read again what the boards that differ must hold; totals of the past do not change any more."""
        if members[0].scopes is not None:
            return list(wrong)
        current = await standings.read_members(self._pool, {each.user_no for each in wrong})
        boards = {each.board for each in wrong}
        return [each for each in self._expected(current) if each.board in boards]

    def _expected(self, members: Sequence[Member]) -> list[Expected]:
        return [
            Expected(board, member.user_no, member.user_id, tie(reached) + member.user_id, score)
            for member in members
            for board in boards_of(member, self._catalogue.matrix)
            if board in self._registered
            for score, reached in (member.totals[board.period_id],)
            if score > 0
        ]

    async def _scores_now(self, wrong: Sequence[Expected]) -> list[Expected]:
        scorers = await scores.of_users(self._pool, {each.user_no for each in wrong})
        boards = {each.board for each in wrong}
        return [each for each in self._expected_scores(scorers) if each.board in boards]

    def _expected_scores(self, scorers: Sequence[Scorer]) -> list[Expected]:
        return [
            Expected(scorer.board, scorer.user_no, scorer.user_id, *place_of(traits, scorer))
            for scorer in scorers
            for traits in (self._catalogue.traits_of(scorer.board),)
            if scorer.visibility is Visibility.PUBLIC and traits.has_scores
        ]

    async def _differences(self, expected: Sequence[Expected]) -> list[Expected]:
        by_board: dict[BoardKey, list[Expected]] = {}
        for each in expected:
            by_board.setdefault(each.board, []).append(each)
        differing = await asyncio.gather(*(self._on_board(board, each) for board, each in by_board.items()))
        return list(chain.from_iterable(differing))

    async def _on_board(self, board: BoardKey, expected: Sequence[Expected]) -> list[Expected]:
        slots = self._catalogue.traits_of(board).slots
        names, by_slot = slot_names(slots), dict[str, list[Expected]]()
        for each in expected:
            by_slot.setdefault(names[slot_of(each.user_id, slots)], []).append(each)
        differing = [await self._in_slot(board, *share) for share in by_slot.items()]
        return list(chain.from_iterable(differing))

    async def _in_slot(self, board: BoardKey, slot: str, expected: Sequence[Expected]) -> list[Expected]:
        key = board_keys(board, slot).standings
        try:
            scores = await self._redis.call("ZMSCORE", key, *(each.member for each in expected))
        except RedisRefused:  # something else stands in the place of the board
            return list(expected)
        return [
            each
            for each, score in zip(expected, scores, strict=True)
            if score is None or int(float(score)) != each.score
        ]

    async def _still_incomplete(self, board: BoardKey) -> bool:
        """Whether it stays so: a board that is being filled anew is whole again after a moment, unless it is large."""
        for _ in range(LOOKS):
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            if (await self._look(board))[0]:
                return False
        return True

    async def _still_more(self, board: BoardKey) -> bool:
        """Whether the surplus stays although users who have come since are taken into account."""
        listed = 0
        if is_score_board(board.scope):
            async for scorers in scores.scan(self._pool, board, CHUNK):
                listed += len(self._expected_scores(scorers))
            return (await self._look(board))[1] > listed
        async for chunk in standings.scan_open_totals(self._pool, CHUNK):
            listed += sum(each.board == board for each in self._expected(chunk))
        async for chunk in standings.scan_period(self._pool, CHUNK, board.period_id):
            listed += sum(each.board == board for each in self._expected(chunk))
        return (await self._look(board))[1] > listed

    async def _look(self, board: BoardKey) -> tuple[bool, int]:
        return await look(self._redis, board, self._catalogue.traits_of(board).slots)
