from datetime import timedelta

from google.protobuf.duration_pb2 import Duration

from laurel.sandbox.v1.sandbox_service_pb2 import AdvanceClockRequest, GetClockRequest, SetClockRequest
from laurel_server.domain.errors import Reason
from tests.integration.rpc.harness import Served, refused
from tests.unit.rpc.samples import NOW, stamp


async def test_the_clock_runs_until_it_is_set(served: Served) -> None:
    assert not (await served.sandbox.GetClock(GetClockRequest())).frozen
    response = await served.sandbox.SetClock(SetClockRequest(now=stamp(NOW)))
    assert (response.now, response.frozen) == (stamp(NOW), True)
    assert (await served.sandbox.GetClock(GetClockRequest())).now == stamp(NOW)


async def test_the_clock_is_advanced(served: Served) -> None:
    await served.sandbox.SetClock(SetClockRequest(now=stamp(NOW)))
    by = Duration()
    by.FromTimedelta(timedelta(days=1, microseconds=5))
    response = await served.sandbox.AdvanceClock(AdvanceClockRequest(by=by))
    assert (response.now, response.frozen) == (stamp(NOW + timedelta(days=1, microseconds=5)), True)


async def test_the_clock_is_not_turned_back_by_advancing(served: Served) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.sandbox.AdvanceClock(AdvanceClockRequest(by=Duration(seconds=-1)))
    assert refusal.fields.keys() == {"by"}


async def test_what_is_needed_must_be_sent(served: Served) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.sandbox.SetClock(SetClockRequest())
    assert refusal.fields.keys() == {"now"}
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.sandbox.AdvanceClock(AdvanceClockRequest())
    assert refusal.fields.keys() == {"by"}
