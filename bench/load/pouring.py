"""One long call in both directions: messages poured in, each answered by position."""

import asyncio
from collections.abc import Callable, Iterator
from struct import Struct
from time import perf_counter

from bench.load.connection import (
    DATA,
    DEFAULT_WINDOW,
    END_HEADERS,
    END_STREAM,
    HEAD_BYTES,
    HEADERS,
    SETTINGS,
    WINDOW_UPDATE,
    Connection,
    frame,
)
from bench.load.unary import DRAIN_SECONDS, Load, Target, measure, until

STREAM = 1

_PREFIX_BYTES = 5
_INITIAL_WINDOW_SIZE = 4
_SETTING_BYTES = 6
_READ_SETTING = Struct(">HI").iter_unpack

Position = Callable[[bytes], int]
"""Returns the position of the message that an answer is about. Raises ValueError if it was refused."""


class _Pouring(Connection):
    """The one stream of a connection; it holds back what the server has no room for."""

    def __init__(
        self, target: Target, load: Load, position_of: Position, answered: Callable[[], None]
    ) -> None:
        super().__init__(target.path, target.address)
        self.started: dict[int, float] = {}
        self.ended = False
        self._load = load
        self._position_of = position_of
        self._answered = answered
        self._poured = 0
        self._incomplete = b""
        self._waiting: list[bytes] = []
        self._initial = self._room = DEFAULT_WINDOW

    def open(self) -> None:
        """Begin the call."""
        self._out.append(frame(HEADERS, END_HEADERS, STREAM, self._fields))
        self.flush()

    def pour(self, message: bytes, since: float) -> None:
        """Queue a message; its latency counts from `since`."""
        self.started[self._poured] = since
        self._poured += 1
        self._waiting.append(frame(DATA, 0, STREAM, b"\0" + len(message).to_bytes(4) + message))
        self._let_go()

    def half_close(self) -> None:
        """Say that nothing more comes."""
        self._out.append(frame(DATA, END_STREAM, STREAM, b""))
        self.flush()

    def on_data(self, stream: int, data: bytes) -> None:
        """Note which messages are answered."""
        del stream
        data = self._incomplete + data
        position, now = 0, perf_counter()
        while (start := position + _PREFIX_BYTES) <= len(data):
            end = start + int.from_bytes(data[position + 1 : start])
            if end > len(data):
                break
            self._note(data[start:end], now)
            position = end
        self._incomplete = data[position:]
        self._answered()

    def _note(self, answer: bytes, now: float) -> None:
        self._load.calls += 1
        try:
            latency = now - self.started.pop(self._position_of(answer))
        except ValueError as refused:
            self._load.failures[str(refused)] += 1
        else:
            if self._load.recording:
                self._load.latencies.append(latency)

    def on_end(self, stream: int, status: str) -> None:
        """Note the end of the call."""
        del stream
        self.ended = True
        self._load.failures.update({} if status == "0" else {status: 1})

    def on_lost(self) -> None:
        """Note an end that was not asked for."""
        if not self.ended:
            self.on_end(STREAM, "lost")

    def _control(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        super()._control(kind, flags, stream, payload)
        if kind == SETTINGS:
            whole = payload[: len(payload) // _SETTING_BYTES * _SETTING_BYTES]
            for name, value in _READ_SETTING(whole):
                if name == _INITIAL_WINDOW_SIZE:
                    self._initial, self._room = value, self._room + value - self._initial
        elif kind == WINDOW_UPDATE and stream == STREAM:
            self._room += int.from_bytes(payload)
        self._let_go()

    def _let_go(self) -> None:
        """Hand on as many messages as the stream has room for."""
        ready = 0
        for message in self._waiting:
            if len(message) - HEAD_BYTES > self._room:
                break
            self._room -= len(message) - HEAD_BYTES
            self._send_data(message)
            ready += 1
        del self._waiting[:ready]


async def pour_all(
    target: Target, requests: Iterator[bytes], position_of: Position, unanswered: int, seconds: float
) -> dict[str, float]:
    """Pour for `seconds` as fast as answers come, with at most `unanswered` messages without one."""
    load, running = Load(), True

    def again() -> None:
        while running and len(stream.started) < unanswered:
            stream.pour(next(requests), perf_counter())

    stream = await _open(target, load, position_of, again)
    again()
    stream.flush()
    await measure(load, seconds)
    load.recording = running = False
    await _end(load, stream)
    return load.figures()


async def pour_evenly(
    target: Target, requests: Iterator[bytes], position_of: Position, rate: float, seconds: float
) -> dict[str, float]:
    """Pour `rate` messages per second for `seconds`; a latency counts from the moment the message was due."""
    load = Load()
    stream = await _open(target, load, position_of, lambda: None)
    pacer = asyncio.create_task(_pace(stream, requests, rate))
    await measure(load, seconds)
    pacer.cancel()
    await _end(load, stream)
    return load.figures()


async def _pace(stream: _Pouring, requests: Iterator[bytes], rate: float) -> None:
    begin, made = perf_counter(), 0
    while True:
        while (due := begin + made / rate) <= perf_counter():
            stream.pour(next(requests), due)
            made += 1
        stream.flush()
        await asyncio.sleep(0.001)


async def _open(target: Target, load: Load, position_of: Position, answered: Callable[[], None]) -> _Pouring:
    host, port = target.address.rsplit(":", 1)
    _, stream = await asyncio.get_running_loop().create_connection(
        lambda: _Pouring(target, load, position_of, answered), host, int(port)
    )
    stream.open()
    return stream


async def _end(load: Load, stream: _Pouring) -> None:
    """Wait for the answers still open and for a good end, and hang up."""
    await until(lambda: stream.ended or not stream.started, DRAIN_SECONDS)
    stream.half_close()
    await until(lambda: stream.ended, DRAIN_SECONDS)
    load.failures.update({"unanswered": len(stream.started)} if stream.started else {})
    load.failures.update({} if stream.ended else {"without end": 1})
    stream.ended = True
    stream.close()
