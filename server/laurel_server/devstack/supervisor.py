"""Keeps processes running: starts them, waits until they answer, restarts the dead, and stops them."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from laurel_server.devstack import locks, logs
from laurel_server.devstack.datadir import DataDir
from laurel_server.devstack.errors import DevstackError
from laurel_server.devstack.reaper import Reaper
from laurel_server.devstack.runfile import ProcessEntry
from laurel_server.devstack.service import Service
from laurel_server.devstack.side_by_side import side_by_side

Report = Callable[[str], None]
"""Takes a line for the person who started the stack."""

_PROBE_PAUSE_SECONDS: Final = 0.03
_PROBE_TIMEOUT_SECONDS: Final = 5.0
# A process that served this long before it died is started again at once; one that keeps dying waits, twice
# as long each time, but never so long that it would be back later than 5 s.
_STEADY_SECONDS: Final = 5.0
_FIRST_PAUSE_SECONDS: Final = 0.2
_LAST_PAUSE_SECONDS: Final = 2.0
# What a dead process leaves behind, such as a busy backend of PostgreSQL, has nobody left to work for.
_ORPHAN_SECONDS: Final = 0.3
# Every step of a stop that somebody is impatient about.
_HURRY_SECONDS: Final = 1.0
_LOG_CHECK_SECONDS: Final = 10.0


@dataclass(slots=True)
class _Child:
    """A running process of a service."""

    service: Service
    pid: int
    end: asyncio.Future[int]
    log_start: int
    ready_at: float | None = None

    @property
    def was_steady(self) -> bool:
        """Whether it was ready for so long that its death is no part of a series."""
        return self.ready_at is not None and time.monotonic() - self.ready_at >= _STEADY_SECONDS


class Supervisor:
    """Runs services until it is stopped."""

    def __init__(self, data: DataDir, reaper: Reaper, report: Report) -> None:
        self.changed: Callable[[], None] = lambda: None
        """Called whenever a process has been started."""
        self._data = data
        self._reaper = reaper
        self._report = report
        self._children: dict[str, _Child] = {}
        self._begun: list[Sequence[Service]] = []
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def processes(self) -> list[ProcessEntry]:
        """The present processes, in the order in which their services were first started."""
        return [ProcessEntry(name, child.pid) for name, child in self._children.items()]

    async def start(self, *services: Service) -> None:
        """Starts services side by side, returns when all answer and keeps them running from then on.

        Raises DevstackError, with the end of its log, if one ends or does not answer in its time.
        """
        self._begun.append(services)
        await side_by_side(*map(self._start, services))

    async def _start(self, service: Service) -> None:
        child = await self._launch(service, service.leftover_seconds)
        self._tasks.append(asyncio.create_task(self._keep(child)))
        self._tasks.append(asyncio.create_task(self._bound_log(service.name)))

    def abandon(self, name: str) -> None:
        """Forgets a service whose `start` has failed: the stack goes on without it."""
        del self._children[name]

    async def stop(self, hurry: asyncio.Event) -> None:
        """Stops all in reverse order, together what was started together.

        Gently at first, by force where that does not help or `hurry` is set.
        """
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for services in reversed(self._begun):
            children = [self._children[each.name] for each in services if each.name in self._children]
            await asyncio.gather(*(self._stop_whole(child, hurry) for child in children))

    async def _stop_whole(self, child: _Child, hurry: asyncio.Event) -> None:
        """Stops a child and waits until nothing of it is left."""
        await self._stop(child, hurry)
        os.close(await locks.claim(self._data.lock(child.service.name), _HURRY_SECONDS))

    async def _launch(self, service: Service, leftover_seconds: float) -> _Child:
        lock = await locks.claim(self._data.lock(service.name), leftover_seconds)
        try:
            child = await self._spawn(service, lock)
        finally:
            os.close(lock)  # the child holds it now
        await self._until_ready(child)
        return child

    async def _spawn(self, service: Service, lock: int) -> _Child:
        launch = await service.prepare()
        log_file = self._data.log(service.name)
        log = logs.open_log(log_file)
        try:
            command = launch.identity.wrap(launch.command, launch.death_signal)
            start = logs.size(log_file)
            pid, end = self._reaper.spawn(
                command, output=log, env=launch.env, cwd=launch.cwd, keep_open=[lock]
            )
        finally:
            os.close(log)
        child = self._children[service.name] = _Child(service, pid, end, start)
        self.changed()
        return child

    async def _until_ready(self, child: _Child) -> None:
        deadline = time.monotonic() + child.service.ready_seconds
        while (reason := await _reason_not_ready(child.service.probe)) is not None:
            if child.end.done():
                raise self._failure(child, f"ended ({_describe(child.end.result())}) before it was ready")
            if time.monotonic() > deadline:
                await self._kill(child)
                raise self._failure(
                    child, f"was not ready within {child.service.ready_seconds:g} s: {reason}"
                )
            await asyncio.wait([child.end], timeout=_PROBE_PAUSE_SECONDS)
        child.ready_at = time.monotonic()

    def _failure(self, child: _Child, what: str) -> DevstackError:
        log = self._data.log(child.service.name)
        return DevstackError(f"{child.service.name} {what}; from {log}:\n{logs.tail(log, child.log_start)}")

    async def _keep(self, child: _Child) -> None:
        """Restarts a service whenever its process ends, for ever."""
        service, pause = child.service, 0.0
        while True:
            code = await asyncio.shield(child.end)
            if child.was_steady:
                pause = 0.0
            self._report(f"{service.name} ended ({_describe(code)}); starting it again")
            child, pause = await self._relaunch(service, pause)

    async def _relaunch(self, service: Service, pause: float) -> tuple[_Child, float]:
        """Tries until the service runs again; returns its process and the pause before its next restart."""
        while True:
            await asyncio.sleep(pause)
            pause = min(max(2 * pause, _FIRST_PAUSE_SECONDS), _LAST_PAUSE_SECONDS)
            started = time.monotonic()
            try:
                child = await self._launch(service, _ORPHAN_SECONDS)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next try may go well
                self._report(f"{error}\ntrying again in {pause:g} s")
            else:
                self._report(
                    f"{service.name} is back after {time.monotonic() - started:.2f} s as process {child.pid}"
                )
                return child, pause

    async def _stop(self, child: _Child, hurry: asyncio.Event) -> None:
        hurried: asyncio.Future[Any] = asyncio.create_task(hurry.wait())
        for step in child.service.stop_steps:
            if child.end.done():
                break
            _signal(child, step.signal)
            if hurry.is_set() or step.signal is signal.SIGKILL:
                await asyncio.wait([child.end], timeout=_HURRY_SECONDS if hurry.is_set() else step.seconds)
            else:
                await asyncio.wait(
                    [child.end, hurried], timeout=step.seconds, return_when=asyncio.FIRST_COMPLETED
                )
        hurried.cancel()

    async def _kill(self, child: _Child) -> None:
        _signal(child, signal.SIGKILL)
        await asyncio.shield(child.end)

    async def _bound_log(self, name: str) -> None:
        while True:
            await asyncio.sleep(_LOG_CHECK_SECONDS)
            logs.bound(self._data.log(name))


async def _reason_not_ready(probe: Callable[[], Awaitable[None]]) -> str | None:
    try:
        async with asyncio.timeout(_PROBE_TIMEOUT_SECONDS):
            await probe()
    except PermissionError as error:
        raise DevstackError(f"the password in secrets.json does not fit: {error}") from error
    except Exception as error:  # noqa: BLE001 - clients have odd words for a server that dies while it answers
        return str(error) or type(error).__name__
    return None


def _signal(child: _Child, number: signal.Signals) -> None:
    """Sends a signal to the process, or to its whole group where nothing may be left of it."""
    with suppress(ProcessLookupError):
        (os.killpg if number is signal.SIGKILL else os.kill)(child.pid, number)


def _describe(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
