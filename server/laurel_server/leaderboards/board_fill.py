"""What fills boards from the ledger, and empties and completes them."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Collection, Container, Iterator, Sequence
from itertools import chain
from typing import Any, Final, TypeVar

from laurel_server.domain.boards import BoardKey, is_score_board
from laurel_server.leaderboards.ahead import ahead
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.errors import BoardsUnavailable
from laurel_server.leaderboards.fill_progress import FillProgress
from laurel_server.leaderboards.loading import CALLS_TO_CLUSTER
from laurel_server.leaderboards.placement import Placement
from laurel_server.leaderboards.placing import Placing
from laurel_server.leaderboards.projection import Projection
from laurel_server.leaderboards.score_seats import seatings_of_scorers
from laurel_server.leaderboards.seating import seat
from laurel_server.leaderboards.window import Window
from laurel_server.metrics import BOARDS_FILL_MEMBERS
from laurel_server.postgres import scores, standings
from laurel_server.postgres.finality import final_batch
from laurel_server.postgres.pool import Pool
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.errors import RedisUnavailable
from laurel_server.redis.keys import (
    BOARD_CHANGES,
    EVERY_BOARD,
    FILLING,
    all_keys,
    board_keys,
    extra_keys,
    signal_of,
    slot_names,
)
from laurel_server.redis.node import RedisNode
from laurel_server.redis.scripts import script
from laurel_server.rewards.batch_items import BATCH_NUMBERS

T = TypeVar("T")

READ_AT_ONCE = 400
"""Users read from the ledger at a time: placing them takes less time than Redis needs for the calls that wait there."""

CHUNKS_AHEAD = 3
"""Such parts read while one is on its way to the boards."""

BOARDS_AT_ONCE = 300
"""Boards that one script call names; Lua passes at most some thousand keys on."""

STAYS: Final = 0
"""As time after which a board goes by itself: never."""


def new_claim() -> str:
    """Return by what a fill knows the boards that it has emptied, or begun: nobody else has the same."""
    return secrets.token_hex(8)


class BoardFill:
    """Fills the boards that it is told to, sending `chunk` users at a time. BoardsUnavailable when Redis goes away.

    A fill does nothing to a board that it has not claimed, or not any more: another one may have emptied it since.
    """

    def __init__(
        self,
        pool: Pool,
        redis: RedisConnection,
        projection: Projection,
        catalogue: Catalogue,
        chunk: int,
    ) -> None:
        self._pool = pool
        self._redis = redis
        self._projection = projection
        self._catalogue = catalogue
        self._chunk = chunk

    async def fill(self, wanted: frozenset[BoardKey]) -> int:
        """Empty boards, fill them and call them complete; return how many members they got."""
        boards = sorted(wanted)
        claim = new_claim()
        await self.empty(boards, claim)
        points = frozenset(board for board in boards if not is_score_board(board.scope))
        members = await self.load(claim, points, points) if points else 0
        for board in boards:
            if is_score_board(board.scope):
                members += await self.load_scores(claim, board)
        await self.complete(boards, claim)
        return members

    async def load(
        self,
        claim: str,
        wanted: Container[BoardKey],
        instances: set[BoardKey] | frozenset[BoardKey],
        before: Callable[[Sequence[Placement], set[BoardKey]], Awaitable[None]] | None = None,
    ) -> int:
        """Send everybody to the boards; the ledger is read while Redis works on those read before.

        `before` is called with what comes next and the instances, to which it may add. BoardsUnavailable also when all
        of the instances were lost meanwhile.
        """
        members, lost, place = 0, 0, Placing(self._catalogue.matrix, wanted)
        periods = sorted({board.period_id for board in instances if not is_score_board(board.scope)})
        progress = FillProgress(1 + len(periods), await standings.last_number(self._pool))
        # Open totals first: one that moves to the past meanwhile is met there, if it was not met here.
        scans = [standings.scan_open_totals(self._pool, READ_AT_ONCE)]
        scans += [standings.scan_period(self._pool, READ_AT_ONCE, period_id) for period_id in periods]
        async with self._projection.loading(self._chunk, tell=False, claim=claim) as loading:
            for scan in scans:
                async for chunk in ahead(scan, CHUNKS_AHEAD):
                    placements = [place(member) for member in chunk]
                    placed = sum(len(placement.boards) for placement in placements)
                    members += placed
                    if before is not None and isinstance(instances, set):
                        await before(placements, instances)
                    await loading.add(placements)
                    progress.read(chunk[-1].user_no, placed)
                    if len(loading.lost) > lost:
                        lost = len(loading.lost)
                        await self._refuse_if_all_are_lost(instances, claim)
                await loading.flush()  # who is met in the next scan too must not be in a call with himself
        progress.end()
        return members

    async def load_scores(self, claim: str, board: BoardKey) -> int:
        """Send everybody to a board of scores, as long as it is not lost; return how many."""
        members = 0
        async for chunk in ahead(scores.scan(self._pool, board, READ_AT_ONCE), CHUNKS_AHEAD):
            seatings = seatings_of_scorers(chunk, self._catalogue)
            placed = sum(len(seating.on) for seating in seatings.values())
            members += placed
            BOARDS_FILL_MEMBERS.inc(placed)
            try:
                seated = await seat(self._redis, seatings, ranked=False, tell=False, claim=claim)
            except RedisUnavailable as away:
                raise BoardsUnavailable(str(away)) from away
            if seated.lost:
                break
        return members

    async def empty(self, boards: Sequence[BoardKey], claim: str) -> None:
        """Empty boards and claim them; they are incomplete from then on. BoardsUnavailable also if one was lost again.

        Emptying forgets who has left, and what was read before he did may be on its way still. It is known by its
        version: who leaves from the claim on is noted again, and who had left before has a version up to the floor.
        What came before the floor did goes with all else that is on the boards then.
        """
        for some in self._pieces(boards):
            keys = list(chain.from_iterable(all_keys(*piece) for piece in some))
            await self._run("empty", keys, claim, STAYS)
        floor = await final_batch(self._pool) * BATCH_NUMBERS + BATCH_NUMBERS - 1
        lost = 0
        for some in self._pieces(boards):
            names = [(*board_keys(*piece)[:2], *extra_keys(*piece)) for piece in some]
            keys = list(chain.from_iterable(names))
            lost += len(some) - await self._run("settle", keys, claim, floor)
        if lost:
            raise _lost_again()

    async def claim(self, board: BoardKey, claim: str) -> None:
        """Claim a board that is about to begin, and so is incomplete from then on."""
        for slot in self._slots(board):
            keys = board_keys(board, slot)
            await self._run("claim", (keys.members, keys.gone), claim)

    async def complete(self, boards: Sequence[BoardKey], claim: str) -> None:
        """Call boards that are claimed complete."""
        lost = 0
        for some in self._pieces(boards):
            names = [board_keys(*piece).members for piece in some]
            lost += len(some) - await self._run("complete", names, claim)
        for changed in _chunks(boards, BOARDS_AT_ONCE):
            await self._call("PUBLISH", BOARD_CHANGES, signal_of(changed))
        if lost:
            raise _lost_again()

    async def _refuse_if_all_are_lost(self, boards: Collection[BoardKey], claim: str) -> None:
        """BoardsUnavailable if none of the boards is claimed any more: what is left to fill would be for nothing."""
        for some in _chunks(list(boards), BOARDS_AT_ONCE):
            names = [board_keys(board, self._slots(board)[0]).members for board in some]
            claims = await asyncio.gather(*(self._call("HGET", name, FILLING) for name in names))
            if claim.encode() in claims:
                return
        raise _lost_again()

    async def forget(self, boards: Collection[BoardKey], slots: Sequence[str] = ("",)) -> None:
        """Drop these slots of boards that are configured no longer. BoardsUnavailable when Redis is away."""
        for some in _chunks(sorted(boards), BOARDS_AT_ONCE):
            names = [all_keys(board, slot) for board in some for slot in slots]
            await asyncio.gather(*(self._call("UNLINK", *each) for each in names))
            await self._call("PUBLISH", BOARD_CHANGES, signal_of(some))

    async def forget_all(self) -> None:
        """Drop every board in Redis, even one that the ledger does not know."""
        try:
            for node in await self._redis.nodes():
                await _forget_all_of(node)
        except RedisUnavailable as away:
            raise BoardsUnavailable(str(away)) from away

    async def are_whole(self, boards: Sequence[BoardKey]) -> list[bool]:
        """Tell of each board whether Redis has all of it; some at a time, so that awards and reads get their turn."""
        lost: set[BoardKey] = set()
        window = Window(CALLS_TO_CLUSTER if self._redis.one_slot else 1)
        try:
            for some in self._pieces(boards):
                await window.add(self._note_lost(some, lost))
            await window.end()
        finally:
            window.cancel()
        return [board not in lost for board in boards]

    async def _note_lost(self, pieces: Sequence[tuple[BoardKey, str]], lost: set[BoardKey]) -> None:
        keys = list(chain.from_iterable(board_keys(*piece)[:2] for piece in pieces))
        lost.update(pieces[number - 1][0] for number in await self._run("whole", keys))

    def _pieces(self, boards: Sequence[BoardKey]) -> Iterator[Sequence[tuple[BoardKey, str]]]:
        """Return the boards with each of their slots, as many together as a script call may name."""
        pieces = [(board, slot) for board in boards for slot in self._slots(board)]
        return _chunks(pieces, 1 if self._redis.one_slot else BOARDS_AT_ONCE)

    def _slots(self, board: BoardKey) -> Sequence[str]:
        return slot_names(self._catalogue.traits_of(board).slots)

    async def _run(self, name: str, keys: Sequence[str], *args: str | int) -> Any:  # noqa: ANN401 - a script's reply
        try:
            return await script(name).run(self._redis, tuple(keys), *args)
        except RedisUnavailable as away:
            raise BoardsUnavailable(str(away)) from away

    async def _call(self, *command: str | bytes | int) -> Any:  # noqa: ANN401 - a command's reply
        try:
            return await self._redis.call(*command)
        except RedisUnavailable as away:
            raise BoardsUnavailable(str(away)) from away


def _lost_again() -> BoardsUnavailable:
    return BoardsUnavailable("boards were lost again while they were filled")


async def _forget_all_of(node: RedisNode) -> None:
    cursor: bytes | str = "0"
    while True:
        cursor, names = await node.call("SCAN", cursor, "MATCH", EVERY_BOARD, "COUNT", 1000)
        await asyncio.gather(*(node.call("UNLINK", name) for name in names))
        if cursor == b"0":
            return


def _chunks(boards: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (boards[start : start + size] for start in range(0, len(boards), size))
