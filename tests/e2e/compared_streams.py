"""Every stream that tells a rank, compared with boards that are sorted by brute force."""

import asyncio
from collections.abc import Iterator, Sequence

from laurel.leaderboard.v1.leaderboard_service_pb2 import WatchLeaderboardRequest, WatchRankRequest
from laurel.type.v1.board_pb2 import BoardRef
from tests.e2e.compared_boards import ComparedBoard, Laurel, name_of, row_of
from tests.oracle.board import Row

TOP = 4


class Streams:
    """What WatchRank and WatchLeaderboard have said so far."""

    def __init__(self, laurel: Laurel, boards: Sequence[ComparedBoard], users: Sequence[str]) -> None:
        self.ranks: dict[tuple[str, str], tuple[int, int]] = {}
        self.tops: dict[str, tuple[list[Row], int]] = {}
        self._boards, self._users = boards, users
        self._changed = asyncio.Event()
        self._tasks = [
            *(asyncio.create_task(self._follow_user(laurel, user_id)) for user_id in users),
            *(asyncio.create_task(self._follow_top(laurel, board)) for board in boards),
        ]

    async def _follow_user(self, laurel: Laurel, user_id: str) -> None:
        request = WatchRankRequest(user_id=user_id, boards=[_current(board.ref) for board in self._boards])
        async for message in laurel.boards.WatchRank(request):
            if message.HasField("update"):
                update = message.update
                place = (user_id, name_of(update.board))
                assert update.previous_rank == self.ranks.get(place, (0, 0))[0]
                self.ranks[place] = (update.rank, update.score)
                self._changed.set()

    async def _follow_top(self, laurel: Laurel, board: ComparedBoard) -> None:
        request = WatchLeaderboardRequest(board=_current(board.ref), top_n=TOP)
        lines: dict[str, Row] = {}
        async for message in laurel.boards.WatchLeaderboard(request):
            news = message.snapshot if message.HasField("snapshot") else message.delta
            if message.HasField("snapshot"):
                lines = {entry.user_id: row_of(entry) for entry in message.snapshot.entries}
            elif message.HasField("delta"):
                lines |= {entry.user_id: row_of(entry) for entry in message.delta.changed}
                lines = {user: row for user, row in lines.items() if user not in message.delta.removed}
            else:
                continue
            self.tops[name_of(board.ref)] = (sorted(lines.values()), news.total_participants)
            self._changed.set()

    async def agree(self, seconds: float = 30) -> None:
        """Wait until all streams have said what the boards are now."""
        try:
            async with asyncio.timeout(seconds):
                while any(self._differences()):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"streams differ: {list(self._differences())}") from None

    def _differences(self) -> Iterator[object]:
        failed = [task.exception() for task in self._tasks if task.done() and not task.cancelled()]
        assert not failed, failed
        for board in self._boards:
            name, rows = name_of(board.ref), board.model.rows()
            expected = (sorted(rows[:TOP]), len(rows))
            if self.tops.get(name) != expected:
                yield name, self.tops.get(name), expected
            for user_id in self._users:
                if self.ranks.get((user_id, name)) != board.told(user_id):
                    yield user_id, name, self.ranks.get((user_id, name)), board.told(user_id)

    async def close(self) -> None:
        """Watch no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _current(ref: BoardRef) -> BoardRef:
    return BoardRef(scope=ref.scope, period=ref.period)
