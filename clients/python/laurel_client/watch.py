"""Watches: streams that go on over broken connections and restarts of the server."""

import asyncio
import random
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

import grpc

from laurel.leaderboard.v1.leaderboard_service_pb2 import (
    WatchLeaderboardRequest,
    WatchLeaderboardResponse,
    WatchRankRequest,
    WatchRankResponse,
)
from laurel.ranking.v1.ranking_service_pb2 import WatchAchievementsRequest, WatchAchievementsResponse
from laurel_client.caller import Metadata, is_cancelled
from laurel_client.errors import LaurelCallError

Request = TypeVar("Request", WatchRankRequest, WatchLeaderboardRequest, WatchAchievementsRequest)
Response = TypeVar("Response", WatchRankResponse, WatchLeaderboardResponse, WatchAchievementsResponse)
Item = TypeVar("Item")

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0
_AFTER_END: Final = 0.5


class Outage:
    """The time since a watch last heard of its server."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._since: float | None = None
        self._attempts = 0

    def is_over(self) -> None:
        """Note that the server was heard."""
        self._since = None
        self._attempts = 0

    async def wait(self, error: LaurelCallError) -> None:
        """Pause before the next attempt, longer each time. Raises `error` when patience is at its end."""
        now = asyncio.get_running_loop().time()
        if self._since is None:
            self._since = now
        if now - self._since >= self._patience:
            raise error
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**self._attempts)
        self._attempts += 1
        if error.retry_after is not None:
            pause = max(pause, error.retry_after.total_seconds())
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter


class Watch(ABC, Generic[Request, Response, Item]):
    """An iterator over what changes. Nothing is asked of the server before the first item is.

    It resumes where it stood when the server ends the stream or cannot be reached for up to `patience` seconds;
    then, and when the server refuses the watch, it raises LaurelCallError. Leaving the `async for` ends the call;
    `async with` or `close` does so at a moment of your choice. One task may iterate at a time.
    """

    def __init__(
        self,
        method: grpc.aio.UnaryStreamMultiCallable[Request, Response],
        request: Request,
        patience: float,
        metadata: Metadata = (),
    ) -> None:
        self._method: grpc.aio.UnaryStreamMultiCallable[Request, Response] = method
        self._request: Request = request
        self._metadata = metadata
        self._outage = Outage(patience)
        self._call: grpc.aio.UnaryStreamCall[Request, Response] | None = None
        self._is_closed = False

    @abstractmethod
    def _item(self, message: Response) -> Item | None:
        """Return what the message says; None if it says nothing new."""

    @property
    def resume_token(self) -> str:
        """Where the watch stands; empty before its first message."""
        token: str = self._request.resume_token
        return token

    def close(self) -> None:
        """End the watch; the iteration stops. Harmless if it has ended."""
        self._is_closed = True
        self._hang_up()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        while not self._is_closed:
            try:
                item = await self._read()
            except LaurelCallError as error:
                self._hang_up()
                await self._recover(error)
            else:
                if item is not None:
                    return item
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_call"):  # absent if the constructor raised
            self._hang_up()

    async def _read(self) -> Item | None:
        message = await self._next_message()
        self._outage.is_over()
        self._request.resume_token = message.resume_token
        if message.WhichOneof("event") == "end":
            self._hang_up()
            # All watches of a server end at once, and should not all be opened anew at once.
            await asyncio.sleep(random.uniform(0, _AFTER_END))  # noqa: S311 - jitter
            return None
        return self._item(message)

    async def _next_message(self) -> Response:
        if self._call is None:
            self._call = self._method(self._request, metadata=self._metadata)
        try:
            message: Any = await self._call.read()
        except grpc.aio.AioRpcError as failure:
            raise LaurelCallError.from_call(failure) from failure
        except asyncio.CancelledError:
            if is_cancelled():
                raise
            raise StopAsyncIteration from None  # the watch or the client was closed while it was read
        if message is grpc.aio.EOF:
            raise LaurelCallError(grpc.StatusCode.UNAVAILABLE, "the stream ended without a word")
        response: Response = message
        return response

    async def _recover(self, error: LaurelCallError) -> None:
        if self._is_closed:
            return
        if error.reason == "PAGE_TOKEN_INVALID" and self._request.resume_token:
            self._request.resume_token = ""  # the server has changed since; its whole state comes next
        elif error.may_pass:
            await self._outage.wait(error)
        else:
            raise error

    def _hang_up(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call.cancel()  # an abandoned call is never collected
