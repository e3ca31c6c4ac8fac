"""SandboxService, which a server offers only with LAUREL_SANDBOX=1."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from google.protobuf.duration_pb2 import Duration

from laurel.sandbox.v1.sandbox_service_pb2 import (
    AdvanceClockRequest,
    AdvanceClockResponse,
    GetClockRequest,
    GetClockResponse,
    SetClockRequest,
    SetClockResponse,
)
from laurel.sandbox.v1.sandbox_service_pb2_grpc import SandboxServiceStub
from laurel_client.caller import Caller
from laurel_client.requests import timestamp


class ClockState(NamedTuple):
    """What time it is for Laurel, in UTC, and whether the clock stands still."""

    now: datetime
    frozen: bool


class Sandbox:
    """The test clock. Every method raises LaurelCallError."""

    def __init__(self, stub: SandboxServiceStub, caller: Caller) -> None:
        self._stub = stub
        self._caller = caller

    async def get_clock(self) -> ClockState:
        """Read the clock."""
        reading = await self._caller.call(self._stub.GetClock, GetClockRequest())
        return _state(reading)

    async def set_clock(self, now: datetime) -> ClockState:
        """Stop the clock at an aware moment. ValueError for a naive one."""
        reading = await self._caller.call(self._stub.SetClock, SetClockRequest(now=timestamp(now)))
        return _state(reading)

    async def advance_clock(self, by: timedelta) -> ClockState:
        """Move the clock forward and stop it there. Never retried: it might move twice."""
        request = AdvanceClockRequest(by=Duration())
        request.by.FromTimedelta(by)
        reading = await self._caller.call(self._stub.AdvanceClock, request)
        return _state(reading)


def _state(reading: GetClockResponse | SetClockResponse | AdvanceClockResponse) -> ClockState:
    return ClockState(reading.now.ToDatetime(UTC), reading.frozen)
