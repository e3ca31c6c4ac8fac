"""Gives every unary call a deadline: the caller's, within bounds, or a default."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from laurel_server.rpc.context import CallContext
from laurel_server.rpc.interceptors.handler import Handler, Payload
from laurel_server.rpc.methods import Method

LONG_CALLS: Final[Mapping[str, float]] = {
    "laurel.admin.v1.AdminService.RebuildBoards": 900,
    "laurel.admin.v1.AdminService.VerifyIntegrity": 900,
    "laurel.admin.v1.AdminService.RunJob": 900,
    "laurel.sandbox.v1.SandboxService.SetClock": 900,
    "laurel.sandbox.v1.SandboxService.AdvanceClock": 900,
}
"""Methods that may go over all data: their default deadline, which is also their longest, in seconds."""


@dataclass(frozen=True, slots=True)
class DeadlineBounds:
    """Seconds that a unary call gets if its caller asks for nothing, and at the most."""

    default: float = 10
    maximum: float = 60
    by_method: Mapping[str, float] = field(default_factory=lambda: LONG_CALLS)
    """Other bounds, for both, by the full name of the method."""


class Deadline:
    """Sets `CallContext.deadline` and ends calls that pass it. Streams have only their caller's deadline."""

    name = "deadline"

    def __init__(self, bounds: DeadlineBounds | None = None) -> None:
        self._bounds = bounds or DeadlineBounds()

    def wrap(self, method: Method, handler: Handler) -> Handler:
        """Return a handler that runs no longer than its deadline."""
        if method.server_streaming:
            return _with_callers_deadline(handler)
        own = self._bounds.by_method.get(method.full_name)
        return _with_deadline(handler, own or self._bounds.default, own or self._bounds.maximum)


def _with_callers_deadline(handler: Handler) -> Handler:
    async def timed(request: Payload, call: CallContext) -> Payload | None:
        asked = _asked_for(call)
        if asked is not None:
            call.deadline = time.monotonic() + asked
        return await handler(request, call)

    return timed


def _with_deadline(handler: Handler, default: float, maximum: float) -> Handler:
    overdue = _Watchdog()

    async def timed(request: Payload, call: CallContext) -> Payload | None:
        asked = _asked_for(call)
        call.deadline = time.monotonic() + min(default if asked is None else asked, maximum)
        if asked is not None and asked <= maximum:
            return await handler(request, call)  # gRPC itself cancels the call at the caller's deadline
        task = overdue.watch(call, call.deadline)
        try:
            return await handler(request, call)
        except asyncio.CancelledError:
            if overdue.has_cancelled(call) and not task.uncancel():
                raise TimeoutError from None
            raise
        finally:
            overdue.forget(call)

    return timed


class _Watchdog:
    """Cancels the tasks of calls that are past their deadlines, up to 50 ms late.

    It looks at all of them now and then: a timer for each, as in asyncio.timeout, costs several microseconds
    of every call, and hardly a call ever needs one.
    """

    _EVERY = 0.05

    def __init__(self) -> None:
        self._watched: dict[CallContext, tuple[asyncio.Task[object], float]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, call: CallContext, deadline: float) -> asyncio.Task[object]:
        """Cancel the running task, which is returned, at the deadline unless the call is forgotten before."""
        task = cast("asyncio.Task[object]", asyncio.current_task())
        self._watched[call] = (task, deadline)
        if self._timer is None:
            self._look_later()
        return task

    def has_cancelled(self, call: CallContext) -> bool:
        """Whether the deadline of a call that was watched has passed."""
        return call not in self._watched

    def forget(self, call: CallContext) -> None:
        """Watch the call no longer."""
        self._watched.pop(call, None)

    def _look_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._EVERY, self._look)

    def _look(self) -> None:
        now = time.monotonic()
        for call, (task, deadline) in list(self._watched.items()):
            if deadline <= now:
                del self._watched[call]
                task.cancel()
        self._timer = None
        if self._watched:
            self._look_later()


def _asked_for(call: CallContext) -> float | None:
    """Return the seconds that the caller gives the call, None for no bound. TimeoutError if none is left."""
    remaining: float | None = call.rpc.time_remaining()  # the type of the library leaves None out
    if remaining is not None and remaining <= 0:
        call.deadline = time.monotonic()
        raise TimeoutError
    return remaining
