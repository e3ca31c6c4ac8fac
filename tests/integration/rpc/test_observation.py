"""Request ids, metrics and log lines of calls."""

import asyncio
from collections.abc import Iterator
from math import inf

import grpc
import pytest
import structlog
from prometheus_client import REGISTRY

from laurel.leaderboard.v1.leaderboard_service_pb2 import WatchRankRequest
from laurel.rewards.v1.rewards_service_pb2 import (
    AwardPointsRequest,
    BatchAwardPointsRequest,
    GetRewardsRequest,
)
from laurel_server.domain.awards import AwardAnswer, AwardCommand
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.rpc.context import CURRENT_CALL, CallContext
from laurel_server.rpc.interceptors import log
from laurel_server.rpc.interceptors.deadline import DeadlineBounds
from tests.integration.rpc.harness import Served, refused, serving
from tests.integration.rpc.stand_in_rewards import sample_award
from tests.integration.wired import until
from tests.unit.runtime.log_lines import LogLines, captured_log

VALID = AwardPointsRequest(request_id="r-1", user_id="u", action="PURCHASE")
READ = GetRewardsRequest(user_id="u")
AWARD = {"service": "laurel.rewards.v1.RewardsService", "method": "AwardPoints"}
WATCH = {"service": "laurel.leaderboard.v1.LeaderboardService", "method": "WatchRank"}


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[LogLines]:
    """Collect the log of this process."""
    monkeypatch.setattr(log, "SLOW_SECONDS", inf)  # however busy the machine is
    with captured_log() as captured:
        yield captured


def fail_with(served: Served, error: Exception) -> None:
    async def fail(_command: AwardCommand, _deadline: float | None) -> AwardAnswer:
        raise error

    served.awards.make = fail


def sample(name: str, labels: dict[str, str]) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.mark.parametrize("sent", ["abc-123", "x" * 128, "!#$%&'*+-.^_`|~"])
async def test_the_id_of_the_caller_comes_back(served: Served, sent: str) -> None:
    call = served.rewards.GetRewards(READ, metadata=(("x-request-id", sent),))
    await call
    assert dict(await call.trailing_metadata() or ())["x-request-id"] == sent


@pytest.mark.parametrize("sent", ["", "x" * 129, "has space"])
async def test_an_id_of_another_form_is_overlooked(served: Served, sent: str) -> None:
    call = served.rewards.GetRewards(READ, metadata=(("x-request-id", sent),))
    await call
    assert "x-request-id" not in dict(await call.trailing_metadata() or ())


async def test_errors_of_calls_without_an_id_get_different_ones(served: Served) -> None:
    fail_with(served, ValueError("no"))
    ids = set()
    for _ in range(3):
        with refused(Reason.INTERNAL) as refusal:
            await served.rewards.AwardPoints(VALID)
        assert refusal.info is not None
        assert refusal.metadata["x-request-id"] == refusal.info.metadata["request_id"]
        ids.add(refusal.info.metadata["request_id"])
    assert len(ids) == 3


async def test_a_refused_call_returns_the_id_too(served: Served) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.rewards.GetRewards(GetRewardsRequest(), metadata=(("x-request-id", "abc"),))
    assert refusal.metadata["x-request-id"] == "abc"


async def test_each_call_sees_itself_as_the_current_one(served: Served) -> None:
    seen: dict[str, str] = {}

    async def look(command: AwardCommand, deadline: float | None) -> AwardAnswer:
        await asyncio.sleep(0)
        call = CURRENT_CALL.get()
        assert call is not None
        seen[command.request_id] = call.request_id
        return await sample_award(command, deadline)

    served.awards.make = look
    requests = [AwardPointsRequest(request_id=f"r-{n}", user_id="u", action="A") for n in range(20)]
    await asyncio.gather(
        *(
            served.rewards.AwardPoints(request, metadata=(("x-request-id", request.request_id),))
            for request in requests
        )
    )
    assert all(sent == found for sent, found in seen.items())
    assert len(seen) == 20
    assert CURRENT_CALL.get() is None


async def test_calls_are_counted_by_code_and_timed(served: Served) -> None:
    def count(code: str) -> float:
        return sample("laurel_rpc_calls_total", AWARD | {"code": code})

    before = {code: count(code) for code in ("OK", "RESOURCE_EXHAUSTED", "INVALID_ARGUMENT")}
    timed = sample("laurel_rpc_seconds_count", AWARD)
    summed = sample("laurel_rpc_seconds_sum", AWARD)
    await served.rewards.AwardPoints(VALID)
    fail_with(served, LaurelError(Reason.OVERLOADED, "Later."))
    with refused(Reason.OVERLOADED):
        await served.rewards.AwardPoints(VALID)
    with refused(Reason.INVALID_FIELD):
        await served.rewards.AwardPoints(AwardPointsRequest())

    async def are_counted() -> bool:  # a call may be answered before it is counted
        return {code: count(code) - was for code, was in before.items()} == dict.fromkeys(before, 1)

    await until(are_counted, "the calls are counted")
    assert sample("laurel_rpc_seconds_count", AWARD) == timed + 3
    assert sample("laurel_rpc_seconds_bucket", AWARD | {"le": "+Inf"}) == timed + 3
    assert summed < sample("laurel_rpc_seconds_sum", AWARD) < summed + 60


async def test_a_slow_call_falls_into_a_later_bucket(served: Served) -> None:
    async def slow(command: AwardCommand, deadline: float | None) -> AwardAnswer:
        await asyncio.sleep(0.03)
        return await sample_award(command, deadline)

    def below(bound: str) -> float:
        return sample("laurel_rpc_seconds_bucket", AWARD | {"le": bound})

    before = (below("0.02"), below("10.0"))
    served.awards.make = slow
    await served.rewards.AwardPoints(VALID)
    assert (below("0.02"), below("10.0")) == (before[0], before[1] + 1)


async def test_ends_of_another_kind_have_their_code() -> None:
    def count(code: str) -> float:
        return sample("laurel_rpc_calls_total", AWARD | {"code": code})

    begun, ended = asyncio.Event(), asyncio.Event()

    async def wait(_command: AwardCommand, _deadline: float | None) -> AwardAnswer:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    before = {code: count(code) for code in ("CANCELLED", "DEADLINE_EXCEEDED")}
    async with serving(Served(deadlines=DeadlineBounds(default=1.5))) as served:
        served.awards.make = wait
        call = served.rewards.AwardPoints(VALID, timeout=60)
        await begun.wait()
        call.cancel()
        await ended.wait()
        with pytest.raises(grpc.aio.AioRpcError):
            await served.rewards.AwardPoints(VALID)
        ended.clear()
        with pytest.raises(grpc.aio.AioRpcError):
            await served.rewards.AwardPoints(VALID, timeout=1)
        await ended.wait()
    assert {code: count(code) - was for code, was in before.items()} == {
        "CANCELLED": 1,
        "DEADLINE_EXCEEDED": 2,
    }


async def test_running_calls_and_open_streams_are_shown(served: Served) -> None:
    seen: list[float] = []

    async def look(command: AwardCommand, deadline: float | None) -> AwardAnswer:
        seen.append(sample("laurel_rpc_in_flight", AWARD))
        return await sample_award(command, deadline)

    async def look_at_streams(_call: CallContext) -> None:
        seen.append(sample("laurel_rpc_streams", WATCH))

    served.awards.make, served.watches.run = look, look_at_streams
    await served.rewards.AwardPoints(VALID)
    async for _ in served.leaderboards.WatchRank(WatchRankRequest(user_id="u")):
        pass
    assert seen == [1, 1]
    assert sample("laurel_rpc_in_flight", AWARD) == sample("laurel_rpc_streams", WATCH) == 0


async def test_a_call_that_goes_well_or_is_refused_writes_no_line(served: Served, lines: LogLines) -> None:
    await served.rewards.AwardPoints(VALID)
    fail_with(served, LaurelError(Reason.DAILY_CAP_REACHED, "Enough."))
    with refused(Reason.DAILY_CAP_REACHED):
        await served.rewards.AwardPoints(VALID)
    assert lines.all() == []


async def test_a_fault_writes_one_line_with_its_traceback(served: Served, lines: LogLines) -> None:
    fail_with(served, ValueError("what happened"))
    with refused(Reason.INTERNAL):
        await served.rewards.AwardPoints(VALID, metadata=(("x-request-id", "trace-7"),))
    line = await lines.arrived()
    assert line["event"] == "call failed"
    assert line["level"] == "error"
    assert line["method"] == "laurel.rewards.v1.RewardsService.AwardPoints"
    assert (line["code"], line["request_id"], line["caller"]) == ("INTERNAL", "trace-7", "anonymous")
    assert "ValueError: what happened" in str(line["exception"])
    assert "stand_in_rewards.py" in str(line["exception"])
    assert str(line["timestamp"]).endswith("Z")


async def test_an_early_time_out_is_a_fault_with_its_origin(served: Served, lines: LogLines) -> None:
    fail_with(served, TimeoutError("no connection was free"))
    with refused(Reason.INTERNAL):
        await served.rewards.AwardPoints(VALID)
    line = await lines.arrived()
    assert "no connection was free" in str(line["exception"])


async def test_unavailability_writes_a_line_without_a_traceback(served: Served, lines: LogLines) -> None:
    fail_with(served, LaurelError(Reason.LEDGER_UNAVAILABLE, "The ledger is away."))
    with refused(Reason.LEDGER_UNAVAILABLE):
        await served.rewards.AwardPoints(VALID)
    line = await lines.arrived()
    assert (line["level"], line["error"]) == ("warning", "The ledger is away.")
    assert "exception" not in line


async def test_a_slow_call_writes_a_line(lines: LogLines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "SLOW_SECONDS", 0.0)
    async with serving(Served()) as slow:
        await slow.rewards.AwardPoints(VALID)
    line = await lines.arrived()
    assert (line["event"], line["code"]) == ("slow call", "OK")
    assert isinstance(line["seconds"], float)


async def test_a_line_from_below_names_the_call(served: Served, lines: LogLines) -> None:
    async def tell(command: AwardCommand, deadline: float | None) -> AwardAnswer:
        structlog.get_logger().info("award.made", points=5)
        return await sample_award(command, deadline)

    served.awards.make = tell
    await served.rewards.AwardPoints(VALID, metadata=(("x-request-id", "trace-8"),))
    line = await lines.arrived()
    assert (line["event"], line["points"], line["request_id"]) == ("award.made", 5, "trace-8")


async def test_a_fault_in_an_item_of_a_batch_writes_a_line(served: Served, lines: LogLines) -> None:
    async def fail_one(command: AwardCommand, deadline: float | None) -> AwardAnswer:
        if command.user_id == "bad":
            raise ValueError("what happened")
        return await sample_award(command, deadline)

    served.awards.make = fail_one
    items = [AwardPointsRequest(request_id="r", user_id=user, action="A") for user in ("good", "bad")]
    batch = BatchAwardPointsRequest(awards=[*items, AwardPointsRequest()])
    await served.rewards.BatchAwardPoints(batch, metadata=(("x-request-id", "trace-9"),))
    line = await lines.arrived()
    assert (line["event"], line["index"], line["request_id"]) == ("award failed", 1, "trace-9")
    assert "ValueError: what happened" in str(line["exception"])
