"""SandboxService, served only where the test clock is switched on."""

from laurel.sandbox.v1.sandbox_service_pb2 import (
    AdvanceClockRequest,
    AdvanceClockResponse,
    GetClockRequest,
    GetClockResponse,
    SetClockRequest,
    SetClockResponse,
)
from laurel_server.domain.errors import invalid_field
from laurel_server.rpc import methods
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.convert.times import read_duration, read_moment, write_moment
from laurel_server.rpc.ports import SandboxClock


class SandboxServicer:
    """Reads and sets the clock of all business time."""

    service = methods.SANDBOX

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock

    async def GetClock(self, request: GetClockRequest, call: CallContext) -> GetClockResponse:
        """Read the clock."""
        response = GetClockResponse(frozen=self._clock.frozen)
        write_moment(response.now, self._clock.now())
        return response

    async def SetClock(self, request: SetClockRequest, call: CallContext) -> SetClockResponse:
        """Stop the clock at a moment."""
        now = read_moment(request, "now")
        if now is None:
            raise invalid_field("now", "must be set")
        await self._clock.set(now)
        response = SetClockResponse(frozen=self._clock.frozen)
        write_moment(response.now, self._clock.now())
        return response

    async def AdvanceClock(self, request: AdvanceClockRequest, call: CallContext) -> AdvanceClockResponse:
        """Move the clock forward and stop it there."""
        await self._clock.advance(read_duration(request, "by"))
        response = AdvanceClockResponse(frozen=self._clock.frozen)
        write_moment(response.now, self._clock.now())
        return response
