"""From the ledger to the boards: puts users where the ledger says they stand, in one script call a batch."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from laurel_server.domain.boards import BoardKey
from laurel_server.domain.ledger import BoardRank
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.placement import Placement, by_board
from laurel_server.leaderboards.seating import Seated, seat, seatings_of, without_special
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.errors import RedisUnavailable
from laurel_server.redis.keys import BOARD_CHANGES, board_keys, signal_of, tie
from laurel_server.redis.scripts import script

MAX_PLACEMENTS = 128
"""Users in one script call: more would hold up every read of a rank for over 10 ms."""

CALLS_TO_SERVER = 2
"""Script calls of one load that wait for Redis at a time: it works on one while the next is made."""

CALLS_TO_CLUSTER = 16
"""The same for a cluster, on which they go to different boards."""

BUDGETS_WHILE_BUSY = 20
"""Budgets that a projection waits for a Redis that is busy but answering."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class BoardsUnavailable(Exception):
    """Redis did not confirm in time. The ledger has it; repair takes it to the boards."""


@dataclass(slots=True)
class Projected:
    """Ranks after a projection. `complete` is False when one of the boards is being rebuilt: its ranks mean nothing."""

    complete: bool
    _ranks: dict[str, list[BoardRank]]

    def join(self, seated: Seated, placements: Sequence[Placement]) -> None:
        """Add the ranks on boards that are placed by themselves."""
        boards = {placement.user_id: placement.boards for placement in placements}
        for user_id, rank in seated.left:
            if rank.board in boards[user_id]:  # out of points; boards of another tier or country are not told
                self._ranks.setdefault(user_id, []).append(rank)
        self.complete = self.complete and seated.complete
        for user_id, rank in seated.ranks:
            self._ranks.setdefault(user_id, []).append(rank)

    def ranks(self, user_id: str) -> tuple[BoardRank, ...]:
        """Return the user's ranks on the boards of his placement."""
        return tuple(self._ranks.get(user_id, ()))


@dataclass(slots=True)
class _OnBoard:
    """The part of a script call that concerns one board; positions count users from 1, as Lua does."""

    period: int
    on: list[int]
    off: list[int]


class _Payload:
    """Collects placements in the form of `project.lua`."""

    def __init__(self, placements: Sequence[Placement]) -> None:
        self.placements = placements
        self.boards: dict[BoardKey, _OnBoard] = {}
        self._periods: dict[str, int] = {}
        self._scores: list[list[int]] = []
        self._entries: list[list[str]] = []
        for position, placement in enumerate(placements, start=1):
            self._add(position, placement)

    def _add(self, position: int, placement: Placement) -> None:
        for board in placement.boards:
            score, reached = placement.totals.get(board.period_id, (0, 0))
            on_board = self._board(board)
            if score <= 0:
                on_board.off.append(position)
                continue
            on_board.on.append(position)
            entries = self._entries[on_board.period - 1]
            if not entries[position - 1]:  # boards over one period share the score
                self._scores[on_board.period - 1][position - 1] = score
                entries[position - 1] = f"{tie(reached)}{placement.version}"
        for board in placement.left:
            self._board(board).off.append(position)

    def _board(self, board: BoardKey) -> _OnBoard:
        found = self.boards.get(board)
        if found is None:
            found = self.boards[board] = _OnBoard(self._period(board.period_id), [], [])
        return found

    def _period(self, period_id: str) -> int:
        number = self._periods.get(period_id)
        if number is None:
            number = self._periods[period_id] = len(self._periods) + 1
            self._scores.append([0] * len(self.placements))
            self._entries.append([""] * len(self.placements))
        return number

    def encode(self, created: Collection[BoardKey], *, ranked: bool) -> bytes:
        """Return the msgpack form."""
        return _encode(
            (
                [placement.user_id for placement in self.placements],
                [placement.version for placement in self.placements],
                list(zip(self._scores, self._entries, strict=True)),
                [
                    (each.period, each.on, each.off, int(board in created))
                    for board, each in self.boards.items()
                ],
                int(ranked),
            )
        )

    def read(
        self,
        results: Sequence[Any],
        ranks: dict[str, list[BoardRank]],
        is_filling: Callable[[BoardKey], bool],
    ) -> bool:
        """Add the ranks in a result; return whether every board that users are on was complete.

        Of a board that a user has left it does not matter: perhaps nobody was ever on it. A board that is being filled
        for the first time has no ranks yet, and the others need not wait for it.
        """
        complete = True
        for (board, on_board), result in zip(self.boards.items(), results, strict=True):
            whole, total, old, new, stood = result
            if is_filling(board):
                continue
            complete = complete and bool(whole or not on_board.on)
            for position, before, now in zip(on_board.on, old, new, strict=False):  # empty if not ranked
                placement = self.placements[position - 1]
                rank = BoardRank(
                    board,
                    0 if now is False else now + 1,
                    0 if before is False else before + 1,
                    placement.totals[board.period_id][0],
                    total,
                )
                ranks.setdefault(placement.user_id, []).append(rank)
            for position, before in zip(on_board.off, stood, strict=False):
                placement = self.placements[position - 1]
                if board in placement.boards:  # out of points; boards of another tier or country are not told
                    rank = BoardRank(board, 0, 0 if before is False else before + 1, 0, total)
                    ranks.setdefault(placement.user_id, []).append(rank)
        return complete


class Projection:
    """Applies placements. `budget` is how long an award waits for its ranks, in seconds."""

    def __init__(self, redis: RedisConnection, budget: float, catalogue: Catalogue | None = None) -> None:
        self._redis = redis
        self._budget = budget
        self._catalogue = catalogue or Catalogue()

    async def project(self, placements: Sequence[Placement], created: Collection[BoardKey] = ()) -> Projected:
        """Apply placements, each user at most once, and return the ranks; watchers are told by the same call.

        `created` are boards that the ledger has just registered. BoardsUnavailable beyond the budget, which starts anew
        while Redis goes on answering: what it is busy with was sent before, and repair would only send this again.
        """
        task = asyncio.ensure_future(self.apply(placements, created))
        for _ in range(BUDGETS_WHILE_BUSY):
            await asyncio.wait({task}, timeout=self._budget)
            if not task.done():
                await asyncio.sleep(
                    0
                )  # after a busy turn the timer fires before a reply that is there is read
            if task.done():
                return task.result()
            if self._redis.silent_for(self._budget):
                break
        task.add_done_callback(_ignore_outcome)  # it may still arrive, which does no harm
        raise BoardsUnavailable("the boards did not answer in time")

    async def apply(self, placements: Sequence[Placement], created: Collection[BoardKey] = ()) -> Projected:
        """Apply placements without a budget. BoardsUnavailable when Redis is away."""
        if self._catalogue.matrix.is_plain:
            return await self._apply_plain(placements, created)
        plain, seated = await asyncio.gather(
            self._apply_plain(without_special(placements, self._catalogue.matrix), created),
            self._seat(placements, created, ranked=True, tell=True),
        )
        plain.join(seated, placements)
        return plain

    async def _apply_plain(self, placements: Sequence[Placement], created: Collection[BoardKey]) -> Projected:
        chunks = self._payloads(placements, MAX_PLACEMENTS)
        replies = await asyncio.gather(
            *(self._run(chunk, chunk.encode(created, ranked=True), tell=True) for chunk in chunks)
        )
        ranks: dict[str, list[BoardRank]] = {}
        is_filling = self._catalogue.is_filling
        complete = [
            chunk.read(reply, ranks, is_filling) for chunk, reply in zip(chunks, replies, strict=True)
        ]
        return Projected(all(complete), ranks)

    async def _seat(
        self, placements: Sequence[Placement], created: Collection[BoardKey], *, ranked: bool, tell: bool
    ) -> Seated:
        seatings = seatings_of(placements, self._catalogue.matrix)
        try:
            return await seat(
                self._redis, seatings, created, ranked=ranked, tell=tell, filling=self._catalogue.is_filling
            )
        except RedisUnavailable as away:
            raise BoardsUnavailable(str(away)) from away

    async def load(
        self, placements: Sequence[Placement], at_once: int = MAX_PLACEMENTS, *, tell: bool
    ) -> None:
        """Apply many placements without asking for ranks, some at a time, so that reads and awards get their turn.

        `tell`: watchers learn of it. BoardsUnavailable when Redis is away.
        """
        if not self._catalogue.matrix.is_plain:
            await self._seat(placements, (), ranked=False, tell=tell)
            placements = without_special(placements, self._catalogue.matrix)
        chunks = self._payloads([each for each in placements if each.boards or each.left], at_once)
        for some in _together(chunks, CALLS_TO_CLUSTER if self._redis.one_slot else CALLS_TO_SERVER):
            await asyncio.gather(
                *(self._run(chunk, chunk.encode((), ranked=False), tell=tell) for chunk in some)
            )

    def _payloads(self, placements: Sequence[Placement], size: int) -> list[_Payload]:
        """Return the script calls for placements: `size` users each, and one board each on a cluster."""
        parts = by_board(placements) if self._redis.one_slot else [placements]
        return [_Payload(part[start : start + size]) for part in parts for start in range(0, len(part), size)]

    async def _run(self, payload: _Payload, body: bytes, *, tell: bool) -> list[Any]:
        keys = tuple(name for board in payload.boards for name in board_keys(board))
        channel, signal = (BOARD_CHANGES, signal_of(payload.boards)) if tell else ("", "")
        try:
            reply = await script("project").run(self._redis, keys, body, channel, signal)
        except RedisUnavailable as away:
            raise BoardsUnavailable(str(away)) from away
        results: list[Any] = _decode(reply)
        return results


def _together(chunks: Sequence[_Payload], size: int) -> Iterator[Sequence[_Payload]]:
    return (chunks[start : start + size] for start in range(0, len(chunks), size))


def _ignore_outcome(task: "asyncio.Task[Projected]") -> None:
    if not task.cancelled():
        task.exception()
