"""One open stream: what it still has to say, never more than the newest state."""

import asyncio
from abc import ABC, abstractmethod
from typing import Final, Generic, NamedTuple, TypeVar

from laurel_server.domain.errors import Reason
from laurel_server.leaderboards.live.ports import Pace
from laurel_server.leaderboards.live.turns import Turns

News = TypeVar("News")


class Heartbeat(NamedTuple):
    """Nothing changed for a while."""


class Ending(NamedTuple):
    """The last event of a stream that the server ends."""

    reason: Reason


_HEARTBEAT: Final = Heartbeat()


class Watch(ABC, Generic[News]):
    """An iterator over what a stream has to say; after an `Ending` it is exhausted.

    It holds no queue: whoever asks late gets the newest state and nothing of what was in between. Asking for
    an event says that the one before has been written.
    """

    __slots__ = (
        "_ended_for",
        "_has_asked",
        "_is_heartbeat_due",
        "_is_over",
        "_since",
        "_turn",
        "_turns",
        "_waiter",
    )

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._since = turns.now
        self._turn = 0  # none
        self._has_asked = False
        self._is_heartbeat_due = False
        self._is_over = False
        self._ended_for: Reason | None = None
        self._waiter: asyncio.Future[None] | None = None

    @property
    def ended_for(self) -> Reason | None:
        """Why the server ends the stream; None as long as it does not."""
        return self._ended_for

    @abstractmethod
    def leave(self) -> None:
        """Take the watch off its boards; harmless if it is off already."""

    @abstractmethod
    def _take_news(self) -> News | None:
        """Return what changed and note that it is told; None if there is nothing."""

    def __aiter__(self) -> "Watch[News]":
        return self

    async def __anext__(self) -> News | Heartbeat | Ending:
        if self._is_over:
            raise StopAsyncIteration
        event = None
        if self._turn:
            self._turn = self._turns.go_on(self._turn)
            event = self._take()
        while event is None:
            await self._next_turn()
            event = self._take()
        self._since = self._turns.now
        return event

    def wake(self) -> None:
        """Have the stream look for news when it is its turn, if it waits for any. O(1)."""
        if self._waiter is not None and not self._has_asked:
            self._has_asked = True
            self._turns.ask(self)

    def proceed(self, turn: int) -> bool:
        """Look for news now. False if nobody waits for it any more."""
        waiter, self._waiter = self._waiter, None
        self._has_asked = False
        if waiter is None or waiter.done():
            return False
        self._turn, self._since = turn, self._turns.now
        waiter.set_result(None)
        return True

    def close(self) -> None:
        """Leave the boards and the turn to others; harmless if that was done already."""
        self.leave()
        if self._turn:
            turn, self._turn = self._turn, 0
            self._turns.end(turn)

    def beat(self) -> None:
        """Have a heartbeat sent, unless there is news."""
        self._is_heartbeat_due = True
        self.wake()

    def end(self, reason: Reason) -> None:
        """Have the stream end itself, once the message that is being written is through."""
        self._ended_for = reason
        self.wake()

    def is_silent(self, pace: Pace) -> bool:
        """Whether a heartbeat is due."""
        return not self._turn and self._turns.now - self._since >= pace.heartbeat

    def is_stuck(self, pace: Pace) -> bool:
        """Whether the reader has accepted nothing for too long."""
        return bool(self._turn) and self._turns.now - self._since >= pace.write_timeout

    def _next_turn(self) -> "asyncio.Future[None]":
        """Return what is done once there may be something to say and it is the stream's turn."""
        turn, self._turn = self._turn, 0
        self._waiter = waiter = asyncio.get_running_loop().create_future()
        if turn:
            self._turns.end(turn)
        else:
            self.wake()  # at first there is the whole state
        return waiter

    def _take(self) -> News | Heartbeat | Ending | None:
        if self._ended_for is not None:
            self._is_over = True
            return Ending(self._ended_for)
        news = self._take_news()
        is_due, self._is_heartbeat_due = self._is_heartbeat_due, False
        return _HEARTBEAT if news is None and is_due else news
