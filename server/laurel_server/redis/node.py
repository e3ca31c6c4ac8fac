"""One connection to Redis that all callers share, with implicit pipelining.

Replies come back in order, so that nobody waits for a connection. A write wakes Redis, and its answer wakes us: under
load that costs more than what is asked for, and so it is done once for many callers. As long as commands come in
company, they go out when the event loop has turned some times without bringing more, or after some milliseconds at the
latest. A lone caller never waits.
"""

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import hiredis
import structlog
from redis.asyncio.connection import parse_url

from laurel_server.redis.errors import RedisRefused, RedisUnavailable

log = structlog.get_logger()

CONNECT_SECONDS = 2.0
MAX_BACKOFF_SECONDS = 1.0
QUIET_TURNS = 10
"""Turns of the event loop without another command, after which those that came in company go out. An idle turn takes a
few microseconds; under load each brings some part of a call."""

MOST_AT_ONCE = 32
HELD_BYTES = 16 << 10
"""So many commands, or so much, go out without waiting for more: Redis reads as much at a time."""

HELD_SECONDS = 0.005
"""So long a command waits for company at most, however much is done in a turn and however steadily others come."""


class _Stream(asyncio.Protocol):
    """The wire: commands out, replies in, matched by order."""

    def __init__(self) -> None:
        self.waiting: deque[asyncio.Future[Any]] = deque()
        self.closed = False
        self.last_reply = 0.0
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._is_flush_due = False
        self._come_in_company = False  # as told by the last write
        self._seen = 0  # of `_out`, a turn ago
        self._quiet_turns = 0
        self._held_until = 0.0  # by the time of the loop
        self._reader = hiredis.Reader()
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def send(self, command: bytes) -> "asyncio.Future[Any]":
        """Queue a command and return the future of its reply. A caller that gives up leaves the order intact."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if (
            self.closed
        ):  # lost between its opening and the turn of who opened it: nobody would answer, nor notice
            future.set_exception(RedisUnavailable("connection closed"))
            return future
        self.waiting.append(future)
        self._out.append(command)
        self._out_bytes += len(command)
        if not self._is_flush_due:
            self._is_flush_due = True
            self._held_until = self._loop.time() + HELD_SECONDS
            self._loop.call_soon(self._look)
        return future

    def _look(self) -> None:
        """Write what there is, or look again in the next turn: who is woken in this one may have something to add."""
        count = len(self._out)
        self._quiet_turns = self._quiet_turns + 1 if count == self._seen else 0
        self._seen = count
        more_may_come = self._come_in_company and self._quiet_turns < QUIET_TURNS
        has_room = count < MOST_AT_ONCE and self._out_bytes < HELD_BYTES
        if more_may_come and has_room and self._loop.time() < self._held_until:
            self._loop.call_soon(self._look)
        else:
            self._flush()

    def _flush(self) -> None:
        self._come_in_company = len(self._out) > 1
        out, self._out, self._out_bytes, self._seen, self._is_flush_due = self._out, [], 0, 0, False
        if self._transport is not None and not self.closed:
            self._transport.write(b"".join(out))

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        self.last_reply = self._loop.time()
        while (reply := self._reader.gets()) is not False:
            future = self.waiting.popleft()
            if not future.done():
                future.set_result(reply)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        while self.waiting:
            future = self.waiting.popleft()
            if not future.done():
                future.set_exception(RedisUnavailable(str(exc or "connection closed")))

    def silent_for(self, seconds: float) -> bool:
        """Whether no reply has come for so long."""
        return self._loop.time() - self.last_reply >= seconds

    def abort(self) -> None:
        """Close at once; every waiting caller gets RedisUnavailable."""
        self.closed = True
        if self._transport is not None:
            self._transport.abort()


class RedisNode:
    """Sends commands to one server; connects on first use and again after a loss.

    `timeout` (seconds) bounds the wait for the oldest reply: beyond it the connection is given up, since a reply that
    still came would be taken for another command's.
    """

    one_slot = False

    def __init__(self, url: str, timeout: float) -> None:
        self.connections = 0
        self.url = url
        self._address = parse_url(url)
        self._timeout = timeout
        self._stream: _Stream | None = None
        self._connecting: asyncio.Lock = asyncio.Lock()
        self._watchdog: asyncio.Task[None] | None = None
        self._oldest: asyncio.Future[Any] | None = None
        self._backoff = 0.0
        self._not_before = 0.0

    async def call(self, *command: str | bytes | int) -> Any:  # noqa: ANN401 - replies are what the command makes them
        """Send one command and return its reply. RedisRefused when the reply is an error, RedisUnavailable."""
        stream = self._stream
        if stream is None or stream.closed:
            stream = await self._connect()
        return await _reply_to(stream, command)

    async def call_asking(self, *command: str | bytes | int) -> Any:  # noqa: ANN401 - as `call`
        """Send a command for a slot that is on its way to this node of a cluster. RedisRefused, RedisUnavailable."""
        stream = self._stream
        if stream is None or stream.closed:
            stream = await self._connect()
        asking = stream.send(hiredis.pack_command(("ASKING",)))
        reply = _reply_to(stream, command)  # in the same turn, so that nothing comes between
        try:
            return await reply
        finally:
            asking.cancel()

    def silent_for(self, seconds: float) -> bool:
        """Whether nothing has come from Redis for so long: it is away, not merely busy with what we have sent."""
        stream = self._stream
        return stream is None or stream.closed or stream.silent_for(seconds)

    @property
    def is_awaited(self) -> bool:
        """Whether a command waits for its reply."""
        return self._stream is not None and bool(self._stream.waiting)

    async def nodes(self) -> "Sequence[RedisNode]":
        """Return the node itself."""
        return (self,)

    async def node_keys(self, name: str) -> Sequence[str]:
        """Return the name."""
        return (name,)

    def listening_urls(self) -> Sequence[str]:
        """Return the address."""
        return (self.url,)

    async def close(self) -> None:
        """Close the connection; waiting callers get RedisUnavailable."""
        if self._watchdog is not None:
            self._watchdog.cancel()
            with suppress(asyncio.CancelledError):
                await self._watchdog
        if self._stream is not None:
            self._stream.abort()

    async def _connect(self) -> _Stream:
        async with self._connecting:
            if self._stream is not None and not self._stream.closed:
                return self._stream
            now = asyncio.get_running_loop().time()
            if now < self._not_before:
                raise RedisUnavailable("not connected")
            try:
                self._stream = await asyncio.wait_for(self._open(), CONNECT_SECONDS)
            except (OSError, TimeoutError, RedisUnavailable) as error:
                self._backoff = min(MAX_BACKOFF_SECONDS, max(0.05, self._backoff * 2))
                self._not_before = now + self._backoff * random.uniform(0.5, 1)  # noqa: S311 - jitter
                raise RedisUnavailable(f"cannot connect: {str(error) or type(error).__name__}") from error
            self._backoff = 0.0
            self.connections += 1
            if self._watchdog is None:
                self._watchdog = asyncio.create_task(self._watch(), name="redis watchdog")
            return self._stream

    async def _open(self) -> _Stream:
        loop, address = asyncio.get_running_loop(), self._address
        if "path" in address:
            _, stream = await loop.create_unix_connection(_Stream, address["path"])
        else:
            secure = (
                address.get("connection_class") is not None
                and "ssl" in str(address["connection_class"]).lower()
            )
            _, stream = await loop.create_connection(
                _Stream, address.get("host", "127.0.0.1"), address.get("port", 6379), ssl=secure or None
            )
        try:
            await self._greet(stream)
        except BaseException:  # a Redis that accepts and then says nothing: cancelled by the time limit
            stream.abort()
            raise
        return stream

    async def _greet(self, stream: _Stream) -> None:
        address = self._address
        if address.get("password"):
            names = (address["username"],) if address.get("username") else ()
            await _reply_to(stream, ("AUTH", *names, address["password"]))
        if address.get("db"):
            await _reply_to(stream, ("SELECT", int(address["db"])))

    async def _watch(self) -> None:
        """Give up a connection whose oldest reply is overdue. One timer for all callers."""
        while True:
            stream = self._stream
            overdue = stream.waiting[0] if stream is not None and stream.waiting else None
            await asyncio.sleep(self._timeout / 2)
            if overdue is not None and stream is not None and stream.waiting and stream.waiting[0] is overdue:
                if self._oldest is overdue:
                    log.warning("redis.overdue", waiting=len(stream.waiting))
                    stream.abort()
                self._oldest = overdue


async def _reply_to(stream: _Stream, command: tuple[str | bytes | int, ...]) -> Any:  # noqa: ANN401
    reply = await stream.send(hiredis.pack_command(command))  # type: ignore[arg-type]
    if isinstance(reply, hiredis.ReplyError):
        raise RedisRefused(str(reply))
    return reply
