"""From the ledger to the boards: puts users where the ledger says they stand, in one script call a batch."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from laurel_server.domain.boards import BoardKey
from laurel_server.domain.ledger import BoardRank
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.fill_call import FillCall, apart, fill_calls
from laurel_server.leaderboards.patience import within_budget
from laurel_server.leaderboards.placement import Placement, by_board
from laurel_server.leaderboards.seating import Seated, seat, seatings_of, without_special
from laurel_server.leaderboards.window import Window
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.errors import RedisUnavailable
from laurel_server.redis.keys import BOARD_CHANGES, board_keys, signal_of, tie
from laurel_server.redis.scripts import script

MAX_PLACEMENTS = 128
"""Users in one script call: more would hold up every read of a rank for over 10 ms."""

CALLS_TO_SERVER = 4
"""Script calls of one load that wait for Redis at a time: it works on them while the next users are read and placed."""

CALLS_TO_CLUSTER = 16
"""The same for a cluster, on which they go to different boards."""

_NOTHING = (0, 0)

_encode = msgspec.msgpack.Encoder().encode


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
        self.complete = self.complete and not seated.incomplete
        for user_id, rank in seated.ranks:
            self._ranks.setdefault(user_id, []).append(rank)

    def ranks(self, user_id: str) -> tuple[BoardRank, ...]:
        """Return the user's ranks on the boards of his placement."""
        return tuple(self._ranks.get(user_id, ()))


class _OnPeriod:
    """What one period adds to a script call, by position of the user."""

    __slots__ = ("entries", "number", "scores")

    def __init__(self, number: int, users: int) -> None:
        self.number = number
        self.scores = [0] * users
        self.entries = [""] * users


class _OnBoard:
    """The part of a script call that concerns one board; positions count users from 1, as Lua does."""

    __slots__ = ("off", "on", "period")

    def __init__(self, period: _OnPeriod) -> None:
        self.period = period
        self.on: list[int] = []
        self.off: list[int] = []


class _Payload:
    """Collects placements in the form of `project.lua`."""

    def __init__(self, placements: Sequence[Placement]) -> None:
        self.placements = placements
        self.boards: dict[BoardKey, _OnBoard] = {}
        self._periods: dict[str, _OnPeriod] = {}
        # Most users of a batch share their boards, or even the very object that names them.
        self._groups: dict[tuple[BoardKey, ...], list[tuple[str, _OnPeriod, list[_OnBoard]]]] = {}
        for position, placement in enumerate(placements, start=1):
            self._add(position, placement)

    def _add(self, position: int, placement: Placement) -> None:
        totals = placement.totals
        for period_id, on_period, boards in self._group(tuple(placement.boards)):
            score, reached = totals.get(period_id, _NOTHING)
            if score <= 0:
                for board in boards:
                    board.off.append(position)
                continue
            on_period.scores[position - 1] = score
            on_period.entries[position - 1] = f"{tie(reached)}{placement.version}"
            for board in boards:
                board.on.append(position)
        for left in placement.left:
            self._board(left).off.append(position)

    def _group(self, boards: tuple[BoardKey, ...]) -> list[tuple[str, _OnPeriod, list[_OnBoard]]]:
        """Return the boards by period, because boards over one period share the score."""
        group = self._groups.get(boards)
        if group is None:
            by_period: dict[str, list[_OnBoard]] = {}
            for board in boards:
                by_period.setdefault(board.period_id, []).append(self._board(board))
            group = [(period_id, self._period(period_id), found) for period_id, found in by_period.items()]
            self._groups[boards] = group
        return group

    def _board(self, board: BoardKey) -> _OnBoard:
        found = self.boards.get(board)
        if found is None:
            found = self.boards[board] = _OnBoard(self._period(board.period_id))
        return found

    def _period(self, period_id: str) -> _OnPeriod:
        found = self._periods.get(period_id)
        if found is None:
            found = self._periods[period_id] = _OnPeriod(len(self._periods) + 1, len(self.placements))
        return found

    def encode(self, created: Collection[BoardKey], *, ranked: bool) -> bytes:
        """Return the msgpack form."""
        return _encode(
            (
                [placement.user_id for placement in self.placements],
                [placement.version for placement in self.placements],
                [(each.scores, each.entries) for each in self._periods.values()],
                [
                    (each.period.number, each.on, each.off, int(board in created))
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
        told = [ranks.setdefault(placement.user_id, []) for placement in self.placements]
        for (board, on_board), (whole, total, old, new, stood) in zip(
            self.boards.items(), results, strict=True
        ):
            if is_filling(board):
                continue
            complete = complete and bool(whole or not on_board.on)
            scores = on_board.period.scores
            for position, before, now in zip(on_board.on, old, new, strict=False):  # empty if not ranked
                told[position - 1].append(
                    BoardRank(board, _rank(now), _rank(before), scores[position - 1], total)
                )
            for position, before in zip(on_board.off, stood, strict=False):
                # Out of points; boards of another tier or country are not told.
                if board in self.placements[position - 1].boards:
                    told[position - 1].append(BoardRank(board, 0, _rank(before), 0, total))
        return complete


class Projection:
    """Applies placements. `budget` is how long an award waits for its ranks, in seconds."""

    def __init__(self, redis: RedisConnection, budget: float, catalogue: Catalogue | None = None) -> None:
        self._redis = redis
        self._budget = budget
        self._catalogue = catalogue or Catalogue()

    async def project(self, placements: Sequence[Placement], created: Collection[BoardKey] = ()) -> Projected:
        """Apply placements, each user at most once, and return the ranks; watchers are told by the same call.

        `created` are boards that the ledger has just registered. BoardsUnavailable beyond the budget (`within_budget`).
        """
        try:
            return await within_budget(self.apply(placements, created), self._redis, self._budget)
        except TimeoutError as late:
            raise BoardsUnavailable(str(late)) from late

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
        fills, moves = apart(placements)
        window = Window(CALLS_TO_CLUSTER if self._redis.one_slot else CALLS_TO_SERVER)
        try:
            for part in self._parts(fills):
                for call in fill_calls(part, at_once):
                    await window.add(self._fill(call, tell=tell))
            for chunk in self._payloads(moves, at_once):
                await window.add(self._run(chunk, chunk.encode((), ranked=False), tell=tell))
            await window.end()
        finally:
            window.cancel()

    def _parts(self, placements: Sequence[Placement]) -> Sequence[Sequence[Placement]]:
        """Return the placements that may go together: those on one board alone on a cluster."""
        return by_board(placements) if self._redis.one_slot else [placements]

    def _payloads(self, placements: Sequence[Placement], size: int) -> list[_Payload]:
        """Return the script calls for placements: `size` users each, and one board each on a cluster."""
        parts = self._parts(placements)
        return [_Payload(part[start : start + size]) for part in parts for start in range(0, len(part), size)]

    async def _fill(self, call: FillCall, *, tell: bool) -> None:
        channel, signal = (BOARD_CHANGES, signal_of(call.boards)) if tell else ("", "")
        try:
            await script("fill").run(self._redis, call.keys, call.encode(), channel, signal)
        except RedisUnavailable as away:
            raise BoardsUnavailable(str(away)) from away

    async def _run(self, payload: _Payload, body: bytes, *, tell: bool) -> list[Any]:
        keys = tuple(name for board in payload.boards for name in board_keys(board))
        channel, signal = (BOARD_CHANGES, signal_of(payload.boards)) if tell else ("", "")
        try:
            results: list[Any] = await script("project").run(self._redis, keys, body, channel, signal)
        except RedisUnavailable as away:
            raise BoardsUnavailable(str(away)) from away
        return results


def _rank(position: int | bool) -> int:
    return 0 if position is False else position + 1
