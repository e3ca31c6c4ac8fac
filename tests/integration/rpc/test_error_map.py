"""What callers see of errors, and what they never see."""

import asyncio
from datetime import timedelta

import grpc
import pytest

from laurel.leaderboard.v1.leaderboard_service_pb2 import WatchRankRequest
from laurel.rewards.v1.rewards_service_pb2 import AwardPointsRequest
from laurel_server.domain.awards import AwardAnswer, AwardCommand
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.rpc.context import CallContext
from tests.integration.rpc.harness import Served, refused

VALID = AwardPointsRequest(request_id="r-1", user_id="u", action="PURCHASE")


def fail_with(served: Served, error: BaseException) -> None:
    async def fail(_command: AwardCommand, _deadline: float | None) -> AwardAnswer:
        raise error

    served.awards.make = fail


@pytest.mark.parametrize("reason", Reason)
async def test_every_reason_reaches_the_caller(served: Served, reason: Reason) -> None:
    fail_with(served, LaurelError(reason, "That is so.", metadata={"key": "value"}))
    with refused(reason) as refusal:
        await served.rewards.AwardPoints(VALID)
    assert refusal.status.message == "That is so."
    assert refusal.info is not None
    assert refusal.info.metadata == {"key": "value"}
    assert refusal.retry_after is None


async def test_field_and_delay_reach_the_caller(served: Served) -> None:
    fail_with(
        served,
        LaurelError(Reason.COOLDOWN_ACTIVE, "Later.", field="action", retry_after=timedelta(seconds=2.5)),
    )
    with refused(Reason.COOLDOWN_ACTIVE) as refusal:
        await served.rewards.AwardPoints(VALID)
    assert refusal.fields == {"action": "Later."}
    assert refusal.retry_after == 2.5


async def test_words_beyond_ascii_arrive(served: Served) -> None:
    fail_with(served, LaurelError(Reason.ACTION_INACTIVE, "Später, \N{SNOWMAN}\n"))
    with refused(Reason.ACTION_INACTIVE) as refusal:
        await served.rewards.AwardPoints(VALID)
    assert refusal.status.message == "Später, \N{SNOWMAN}\n"


@pytest.mark.parametrize(
    "error",
    [
        ValueError("password=hunter2"),
        KeyError("hunter2"),
        TimeoutError("hunter2"),
        ExceptionGroup("hunter2", [LaurelError(Reason.OVERLOADED, "hunter2")]),
        RecursionError("hunter2"),
    ],
)
async def test_no_text_of_a_fault_gets_out(served: Served, error: Exception) -> None:
    fail_with(served, error)
    with refused(Reason.INTERNAL) as refusal:
        await served.rewards.AwardPoints(VALID, metadata=(("x-request-id", "trace-7"),))
    assert refusal.info is not None
    assert refusal.info.metadata == {"request_id": "trace-7"}
    assert b"hunter2" not in refusal.status.SerializeToString()
    assert "hunter2" not in str(refusal.metadata)


async def test_a_fault_in_a_stream_is_mapped_too(served: Served) -> None:
    async def fail(_call: CallContext) -> None:
        raise ValueError("hunter2")

    served.watches.run = fail
    with refused(Reason.INTERNAL) as refusal:
        async for _ in served.leaderboards.WatchRank(WatchRankRequest(user_id="u")):
            pass
    assert "hunter2" not in refusal.status.message


async def test_an_answer_that_cannot_be_made_is_a_fault(served: Served) -> None:
    async def answer(_command: AwardCommand, _deadline: float | None) -> AwardAnswer:
        return None  # type: ignore[return-value]

    served.awards.make = answer
    with refused(Reason.INTERNAL) as refusal:
        await served.rewards.AwardPoints(VALID)
    assert "NoneType" not in refusal.status.message


async def test_a_caller_who_hangs_up_cancels_the_use_case(served: Served) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def wait(_command: AwardCommand, _deadline: float | None) -> AwardAnswer:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    served.awards.make = wait
    call = served.rewards.AwardPoints(VALID)
    await begun.wait()
    call.cancel()
    await asyncio.wait_for(ended.wait(), 60)
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_a_refusal_leaves_the_connection_in_order(served: Served) -> None:
    fail_with(served, LaurelError(Reason.OVERLOADED, "Later."))
    results = await asyncio.gather(
        *(served.rewards.AwardPoints(VALID) for _ in range(100)), return_exceptions=True
    )
    codes = {result.code() for result in results if isinstance(result, grpc.aio.AioRpcError)}
    assert codes == {grpc.StatusCode.RESOURCE_EXHAUSTED}
