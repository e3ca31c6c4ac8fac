"""Unary load: a closed loop keeps a number of calls in flight, an open loop makes them at a fixed rate."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import NamedTuple

from bench.load.connection import Connection

CONNECTIONS = 8
"""Connections that the calls in flight share, as from a few instances of a calling service."""

WARM_UP_SECONDS = 0.3
DRAIN_SECONDS = 15.0


class Target(NamedTuple):
    """A method of a server: `address` is HOST:PORT, `path` is /package.Service/Method."""

    address: str
    path: str


@dataclass(slots=True)
class Load:
    """What a load did to a target. Latencies are in seconds, of calls that ended while recording; `calls` are all."""

    seconds: float = 0.0
    client_cpu: float = 0.0
    calls: int = 0
    recording: bool = False
    latencies: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)

    def figures(self) -> dict[str, float]:
        """Return the rate, latencies and what a call cost the client. RuntimeError if any call failed."""
        if self.failures or not self.latencies:
            raise RuntimeError(
                f"{len(self.latencies)} calls succeeded, others ended with {dict(self.failures)}"
            )
        ordered, count = sorted(self.latencies), len(self.latencies)
        return {
            "rate": count / self.seconds,
            "p50_ms": ordered[count // 2] * 1e3,
            "p99_ms": ordered[count * 99 // 100] * 1e3,
            "client_us": self.client_cpu / count * 1e6,
            "calls": self.calls,
        }


class _Caller(Connection):
    """Measures its calls; `ended` is told of the end of each."""

    def __init__(self, target: Target, load: Load, ended: Callable[["_Caller"], None]) -> None:
        super().__init__(target.path, target.address)
        self.started: dict[int, float] = {}
        self._load = load
        self._ended = ended

    def on_end(self, stream: int, status: str) -> None:
        started = self.started.pop(stream)
        self._load.calls += 1
        if status == "0":
            if self._load.recording:
                self._load.latencies.append(perf_counter() - started)
        else:
            self._load.failures[status] += 1
        self._ended(self)

    def on_lost(self) -> None:
        for stream in list(self.started):
            self.on_end(stream, "lost")


async def closed_loop(
    target: Target, requests: Iterator[bytes], in_flight: int, seconds: float, connections: int = CONNECTIONS
) -> dict[str, float]:
    """Keep `in_flight` calls open for `seconds`: each answer is followed by the next request."""
    load, running = Load(), True

    def again(caller: _Caller) -> None:
        if running:
            caller.started[caller.call(next(requests))] = perf_counter()

    callers = await _connect(target, load, again, min(connections, in_flight))
    for number in range(in_flight):
        again(callers[number % len(callers)])
    _flush(callers)
    await measure(load, seconds)
    load.recording = running = False
    await _drain(load, callers)
    return load.figures()


async def open_loop(
    target: Target, requests: Iterator[bytes], rate: float, seconds: float, connections: int = CONNECTIONS
) -> dict[str, float]:
    """Make `rate` calls per second for `seconds`, evenly, however slow the answers are.

    A latency counts from the moment the call was due, so that a server that stalls is not spared.
    """
    load = Load()
    callers = await _connect(target, load, lambda _: None, connections)
    pacer = asyncio.create_task(_pace(callers, requests, rate))
    await measure(load, seconds)
    pacer.cancel()
    await _drain(load, callers)  # still recorded: the last calls may be the slowest
    return load.figures()


async def _pace(callers: Sequence[_Caller], requests: Iterator[bytes], rate: float) -> None:
    begin, made = perf_counter(), 0
    while True:
        while (due := begin + made / rate) <= perf_counter():
            caller = callers[made % len(callers)]
            caller.started[caller.call(next(requests))] = due
            made += 1
        _flush(callers)
        await asyncio.sleep(0.001)


async def _connect(
    target: Target, load: Load, ended: Callable[[_Caller], None], connections: int
) -> list[_Caller]:
    loop = asyncio.get_running_loop()
    host, port = target.address.rsplit(":", 1)
    made = [
        await loop.create_connection(lambda: _Caller(target, load, ended), host, int(port))
        for _ in range(connections)
    ]
    return [caller for _, caller in made]


def _flush(callers: Sequence[_Caller]) -> None:
    for caller in callers:
        caller.flush()


async def measure(load: Load, seconds: float) -> None:
    """Let the load run and record what happens after the warm-up."""
    await asyncio.sleep(WARM_UP_SECONDS)
    load.recording = True
    started, cpu = perf_counter(), process_time()
    await asyncio.sleep(seconds)
    load.seconds, load.client_cpu = perf_counter() - started, process_time() - cpu


async def _drain(load: Load, callers: Sequence[_Caller]) -> None:
    """Wait for the calls still open, so that the next load meets an idle server; then hang up."""
    await until(lambda: not any(caller.started for caller in callers), DRAIN_SECONDS)
    for caller in callers:
        load.failures.update({"unanswered": len(caller.started)} if caller.started else {})
        caller.close()


async def until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait for something that has no event to await, looking a hundred times a second, `seconds` at most."""
    deadline = perf_counter() + seconds
    while not condition() and perf_counter() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
