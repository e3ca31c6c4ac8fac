"""All reads of boards. Each costs one round trip to Redis, and none to the ledger unless a profile is not in memory."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta, tzinfo
from typing import Any

from laurel_server.domain.boards import BoardKey, BoardMatrix, ScopeKind, parse_scope
from laurel_server.domain.clock import Clock
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.periods import PeriodType, parse_period_id, period_at
from laurel_server.domain.ranks import MILESTONES, next_milestone, points_needed
from laurel_server.domain.views import Board, Line, Page, Place, Surrounding, Target
from laurel_server.leaderboards.profile_cache import NOBODY, ProfileCache
from laurel_server.leaderboards.registry import BoardRegistry
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.errors import RedisUnavailable
from laurel_server.redis.keys import TIE_LENGTH, board_keys
from laurel_server.redis.scripts import script

PLACES_AT_ONCE = 1000
"""Users in one script call, which holds Redis for about 3 ms. The ranks of one BatchGetRanks are so of one moment."""

NEW_BOARD_SECONDS = 0.05
"""The award that registers a board writes its marker some milliseconds after COMMIT; a read between waits for it."""


class BoardQueries:
    """Reads boards; `damaged` is called when one is found to be lost."""

    def __init__(
        self,
        redis: RedisConnection,
        registry: BoardRegistry,
        profiles: ProfileCache,
        clock: Clock,
        matrix: BoardMatrix,
        zone: tzinfo,
        damaged: Callable[[], None],
    ) -> None:
        self._redis = redis
        self._registry = registry
        self._profiles = profiles
        self._clock = clock
        self._matrix = matrix
        self._zone = zone
        self._damaged = damaged

    def resolve(self, scope: str, period_type: PeriodType | None, period_id: str) -> Board:
        """Return the board instance that is meant now: empty scope is global, no period all-time, empty id the current.

        INVALID_FIELD, BOARD_NOT_FOUND outside the matrix, PERIOD_NOT_FOUND in the future.
        """
        parsed = parse_scope(scope)
        named = parse_period_id(period_id, period_type, self._zone) if period_id else None
        wanted = named.type if named else period_type or PeriodType.ALL_TIME
        if parsed.kind is ScopeKind.BOARD or not self._matrix.contains(parsed.text, wanted):
            raise LaurelError(
                Reason.BOARD_NOT_FOUND,
                f"there is no board {parsed.text} over {wanted.name.lower()}",
                metadata={"board": f"{parsed.text} {wanted.name}"},
            )
        now = self._clock.now()
        period = named or period_at(wanted, now, self._zone)
        if period.starts_at is not None and period.starts_at > now:
            raise LaurelError(
                Reason.PERIOD_NOT_FOUND, f"{period.id} has not begun", metadata={"period_id": period.id}
            )
        return Board(BoardKey(parsed.text, period.id), period)

    async def page(self, board: Board, offset: int, limit: int) -> Page:
        """Return `limit` lines from `offset` (0 = the best) on, with profiles. BOARDS_REBUILDING."""
        reply = await self._run("top", board.key, offset, offset + limit - 1)
        lines = await self._lines(list(_entries(reply[2])), offset + 1)
        return Page(board, lines, reply[1], self._clock.now())

    async def place(self, board: Board, user_id: str) -> Place:
        """Return where a user stands. USER_NOT_FOUND, NOT_ON_BOARD, BOARDS_REBUILDING."""
        reply = await self._run("places", board.key, user_id)
        rank, score = reply[2] or (-1, b"0")
        if rank < 0:
            raise await self._missing(board, user_id)
        return Place(board, user_id, rank + 1, int(score), reply[1])

    async def places(self, board: Board, user_ids: Sequence[str]) -> tuple[Sequence[Line], Sequence[str]]:
        """Return the lines of those on the board, best first, and the ids of the others in given order."""
        asked = list(dict.fromkeys(user_ids))
        _, found = await self.ranks_of(board, asked)
        ordered = sorted(found.items(), key=lambda each: each[1][0])
        faces = await self._profiles.faces(found)
        lines = [
            Line(rank, user_id, score, 0, *faces.get(user_id, NOBODY)) for user_id, (rank, score) in ordered
        ]
        return lines, [user_id for user_id in asked if user_id not in found]

    async def all_places(self, user_id: str) -> Sequence[Place]:
        """Return the user's place on every current board that lists him. USER_NOT_FOUND."""
        keys = await self._registry.boards_of(user_id, self._matrix)
        now = self._clock.now()
        boards = [
            Board(key, period)
            for key in keys
            if (period := parse_period_id(key.period_id, zone=self._zone)).contains(now)
        ]
        replies = await asyncio.gather(*(self._run("places", board.key, user_id) for board in boards))
        return [
            Place(board, user_id, reply[2][0] + 1, int(reply[2][1]), reply[1])
            for board, reply in zip(boards, replies, strict=True)
            if reply[2] and reply[2][0] >= 0
        ]

    async def surrounding(self, board: Board, user_id: str, range_: int) -> Surrounding:
        """Return the user's line with `range_` lines on both sides, clipped at the edges of the board.

        USER_NOT_FOUND, NOT_ON_BOARD, BOARDS_REBUILDING.
        """
        reply = await self._run("surrounding", board.key, user_id, range_, *MILESTONES)
        total, rank, first = reply[1], reply[2] + 1, reply[3]
        if rank < 1:
            raise await self._missing(board, user_id)
        lines = await self._lines(list(_entries(reply[4])), first + 1)
        own = next(line for line in lines if line.rank == rank)
        milestone = next_milestone(rank)
        holder = next(_entries(reply[5]), None)
        return Surrounding(
            Place(board, user_id, rank, own.score, total),
            lines,
            _target(own, next((line.score for line in lines if line.rank == rank - 1), None), rank - 1),
            _target(own, holder[1] if holder else None, milestone or 0),
        )

    async def ranks_of(self, board: Board, user_ids: Sequence[str]) -> tuple[int, dict[str, tuple[int, int]]]:
        """Return how many users the board lists, and rank and score of those asked for who are on it."""
        chunks = [user_ids[i : i + PLACES_AT_ONCE] for i in range(0, len(user_ids), PLACES_AT_ONCE)]
        replies = await asyncio.gather(*(self._run("places", board.key, *chunk) for chunk in chunks))
        found = {
            user_id: (rank + 1, int(score))
            for chunk, reply in zip(chunks, replies, strict=True)
            for user_id, rank, score in zip(chunk, reply[2][::2], reply[2][1::2], strict=False)
            if rank >= 0
        }
        return replies[0][1] if replies else 0, found

    async def top(self, board: Board, n: int) -> Page:
        """Return the best `n` lines with their profiles. BOARDS_REBUILDING."""
        return await self.page(board, 0, n)

    async def is_known(self, user_id: str) -> bool:
        """Return whether there is such a user. LEDGER_UNAVAILABLE."""
        return user_id in await self._profiles.faces([user_id])

    async def _run(self, name: str, board: BoardKey, *args: str | int) -> Any:  # noqa: ANN401 - a script's reply
        """Run a reading script. A board that the ledger never put anybody on is empty, any other gap is a loss."""
        reply = await self._ask(name, board, args)
        if reply[0] or not await self._registry.has(board):
            return reply
        await asyncio.sleep(NEW_BOARD_SECONDS)
        reply = await self._ask(name, board, args)
        if reply[0]:
            return reply
        self._damaged()
        raise rebuilding(board)

    async def _ask(self, name: str, board: BoardKey, args: Sequence[str | int]) -> Any:  # noqa: ANN401 - a script's reply
        keys = board_keys(board)
        try:
            return await script(name).run(self._redis, (keys.standings, keys.members), *args)
        except RedisUnavailable as away:
            raise rebuilding(board) from away

    async def _lines(self, entries: list[tuple[str, int]], first_rank: int) -> tuple[Line, ...]:
        faces = await self._profiles.faces([user_id for user_id, _ in entries])
        return tuple(
            Line(rank, user_id, score, 0, *faces.get(user_id, NOBODY))
            for rank, (user_id, score) in enumerate(entries, start=first_rank)
        )

    async def _missing(self, board: Board, user_id: str) -> LaurelError:
        if not await self.is_known(user_id):
            return LaurelError(Reason.USER_NOT_FOUND, f"no user {user_id}", metadata={"user_id": user_id})
        return LaurelError(
            Reason.NOT_ON_BOARD,
            f"{user_id} is not on this board",
            metadata={"user_id": user_id, "board": f"{board.key.scope} {board.key.period_id}"},
        )


def rebuilding(board: BoardKey) -> LaurelError:
    """Return the error for a board that cannot be read before it has been filled from the ledger."""
    return LaurelError(
        Reason.BOARDS_REBUILDING,
        "the board is being filled from the ledger",
        metadata={"board": f"{board.scope} {board.period_id}"},
        retry_after=timedelta(seconds=1),
    )


def _entries(flat: Sequence[bytes]) -> Iterator[tuple[str, int]]:
    for member, score in zip(flat[::2], flat[1::2], strict=True):
        yield member[TIE_LENGTH:].decode(), int(score)


def _target(own: Line, holder_score: int | None, rank: int) -> Target | None:
    return None if holder_score is None else Target(rank, points_needed(own.score, holder_score))
