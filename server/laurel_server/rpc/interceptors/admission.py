"""Bounds the calls that run at once: a server with too much work refuses some fast instead of all slowly."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.interceptors.handler import Handler, Payload
from laurel_server.rpc.methods import Method, MethodKind

RETRY_AFTER: Final = timedelta(milliseconds=500)
"""When a refused caller may try again: about the time in which a full server has worked off what it holds."""


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """Calls of each kind that one process works on at a time."""

    reads: int = 8192
    writes: int = 8192
    streams: int = 20_000


class Admission:
    """Refuses calls beyond the limits with OVERLOADED, and all new ones with DRAINING after `drain`."""

    name = "admission"

    def __init__(self, limits: AdmissionLimits | None = None) -> None:
        limits = limits or AdmissionLimits()
        self._gates = {
            MethodKind.READ: _Gate(limits.reads),
            MethodKind.WRITE: _Gate(limits.writes),
            MethodKind.STREAM: _Gate(limits.streams),
        }

    def drain(self) -> None:
        """Let calls in progress go on and refuse new ones."""
        for gate in self._gates.values():
            gate.closed = True

    def wrap(self, method: Method, handler: Handler) -> Handler:
        """Return a handler that runs while there is room."""
        gate = self._gates[method.kind]

        async def admitted(request: Payload, call: CallContext) -> Payload | None:
            gate.enter()
            try:
                return await handler(request, call)
            finally:
                gate.inside -= 1

        return admitted


class _Gate:
    """The calls of one kind."""

    __slots__ = ("closed", "inside", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.inside = 0
        self.closed = False

    def enter(self) -> None:
        """Count one more call inside. DRAINING, OVERLOADED."""
        if self.closed:
            raise LaurelError(Reason.DRAINING, "this server is shutting down; another one answers")
        if self.inside >= self.limit:
            message = f"this server works on {self.limit} calls of this kind already"
            raise LaurelError(Reason.OVERLOADED, message, retry_after=RETRY_AFTER)
        self.inside += 1
