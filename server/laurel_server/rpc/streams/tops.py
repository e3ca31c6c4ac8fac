"""WatchLeaderboard: the top of a board as messages, each serialized once for all streams that send it."""

import hashlib
from typing import Final
from weakref import WeakKeyDictionary

from laurel.leaderboard.v1.leaderboard_pb2 import LeaderboardEntry
from laurel.leaderboard.v1.leaderboard_service_pb2 import WatchLeaderboardResponse
from laurel.leaderboard.v1.watch_pb2 import Delta, Heartbeat, Snapshot
from laurel_server.domain.movement import top_change
from laurel_server.domain.views import Line
from laurel_server.leaderboards.live.tops import TopNews, TopState
from laurel_server.rpc.convert.boards import write_board, write_line
from laurel_server.rpc.streams.messages import Messages
from laurel_server.rpc.streams.tokens import ResumeTokens

_DIGEST_SIZE: Final = 8


class SerializedTop:
    """A state serialized: in whole, and as the difference to each state that some stream told before it."""

    __slots__ = ("_deltas", "digest", "snapshot")

    def __init__(self, state: TopState) -> None:
        snapshot = Snapshot(entries=map(_entry, state.lines), total_participants=state.total)
        write_board(snapshot.board, state.board.key)
        self.snapshot = WatchLeaderboardResponse(snapshot=snapshot).SerializeToString(deterministic=True)
        self.digest = hashlib.blake2b(self.snapshot, digest_size=_DIGEST_SIZE).digest()
        self._deltas: dict[int, bytes] = {}

    def after(self, before: TopState, now: TopState) -> bytes:
        """Return the way from `before` to `now`, the state that this was made of."""
        delta = self._deltas.get(before.revision)
        if delta is None:
            delta = self._deltas[before.revision] = _serialized_delta(before, now)
        return delta


class SerializedTops:
    """The states that some stream still holds, serialized."""

    def __init__(self) -> None:
        self._by_state: WeakKeyDictionary[TopState, SerializedTop] = WeakKeyDictionary()

    def __len__(self) -> int:
        return len(self._by_state)

    def of(self, state: TopState) -> SerializedTop:
        """Return a state serialized; the work is done once."""
        serialized = self._by_state.get(state)
        if serialized is None:
            serialized = self._by_state[state] = SerializedTop(state)
        return serialized


class TopMessages(Messages[TopNews]):
    """The messages of one WatchLeaderboard; `told` is the digest of what an earlier stream said last."""

    RESPONSE = WatchLeaderboardResponse
    HEAD = WatchLeaderboardResponse()
    HEARTBEAT = WatchLeaderboardResponse(heartbeat=Heartbeat()).SerializeToString()

    def __init__(self, tops: SerializedTops, tokens: ResumeTokens, sequence: int, told: bytes = b"") -> None:
        super().__init__(tokens, sequence)
        self._tops = tops
        self._digest = told

    def _news(self, news: TopNews) -> bytes:
        top = self._tops.of(news.now)
        is_as_told, self._digest = self._digest == top.digest, top.digest
        if news.before is not None:
            return top.after(news.before, news.now)
        return self.HEARTBEAT if is_as_told else top.snapshot

    def _told(self) -> bytes:
        return self._digest


def _serialized_delta(before: TopState, now: TopState) -> bytes:
    change = top_change(before.lines, now.lines)
    delta = Delta(changed=map(_entry, change.changed), removed=change.removed, total_participants=now.total)
    return WatchLeaderboardResponse(delta=delta).SerializeToString()


def _entry(line: Line) -> LeaderboardEntry:
    entry = LeaderboardEntry()
    write_line(entry, line)
    return entry
