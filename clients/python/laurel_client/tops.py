"""Watching who leads a board."""

from dataclasses import dataclass, field
from typing import Self

import grpc

from laurel.leaderboard.v1.leaderboard_pb2 import LeaderboardEntry
from laurel.leaderboard.v1.leaderboard_service_pb2 import WatchLeaderboardRequest, WatchLeaderboardResponse
from laurel.leaderboard.v1.watch_pb2 import Delta, Snapshot
from laurel.type.v1.board_pb2 import BoardRef
from laurel_client.caller import Metadata
from laurel_client.watch import Watch


@dataclass(frozen=True, slots=True)
class Top:
    """The best of a board at one moment: `entries`, best first, and how many users the board lists in all."""

    board: BoardRef = field(default_factory=BoardRef)
    entries: tuple[LeaderboardEntry, ...] = ()
    total_participants: int = 0

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self:
        """Return the top that the server sent whole."""
        return cls(snapshot.board, tuple(snapshot.entries), snapshot.total_participants)

    def after(self, delta: Delta) -> "Top":
        """Return the top that a change leads to."""
        lines = {entry.user_id: entry for entry in self.entries}
        for user_id in delta.removed:
            lines.pop(user_id, None)
        lines |= {entry.user_id: entry for entry in delta.changed}
        entries = sorted(lines.values(), key=lambda entry: entry.rank)
        return Top(self.board, tuple(entries), delta.total_participants)


class TopWatch(Watch[WatchLeaderboardRequest, WatchLeaderboardResponse, Top]):
    """Yields the whole Top at first and after each change, also that into the next period."""

    def __init__(
        self,
        method: grpc.aio.UnaryStreamMultiCallable[WatchLeaderboardRequest, WatchLeaderboardResponse],
        request: WatchLeaderboardRequest,
        patience: float,
        metadata: Metadata = (),
    ) -> None:
        super().__init__(method, request, patience, metadata)
        self._top = Top()

    def _item(self, message: WatchLeaderboardResponse) -> Top | None:
        if message.HasField("snapshot"):
            self._top = Top.of(message.snapshot)
        elif message.HasField("delta"):
            self._top = self._top.after(message.delta)
        else:
            return None
        return self._top
