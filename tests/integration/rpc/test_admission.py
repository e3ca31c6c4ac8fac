import asyncio

import pytest

from laurel.leaderboard.v1.leaderboard_service_pb2 import WatchRankRequest, WatchRankResponse
from laurel.rewards.v1.rewards_service_pb2 import AwardPointsRequest, GetRewardsRequest
from laurel_server.domain.awards import AwardAnswer, AwardCommand
from laurel_server.domain.errors import Reason
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.interceptors.admission import RETRY_AFTER, AdmissionLimits
from tests.integration.rpc.harness import Served, refused, serving
from tests.integration.rpc.stand_in_rewards import sample_award

VALID = AwardPointsRequest(request_id="r-1", user_id="u", action="PURCHASE")


class Held:
    """A use case that waits until it is let go."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go = asyncio.Event()
        self.ended = asyncio.Event()

    async def __call__(self, command: AwardCommand, deadline: float | None) -> AwardAnswer:
        self.begun.set()
        try:
            await self.go.wait()
        finally:
            self.ended.set()
        return await sample_award(command, deadline)

    async def watch(self, call: CallContext) -> None:
        self.begun.set()
        await self.go.wait()
        await call.write(WatchRankResponse(sequence=7))


async def test_a_call_beyond_the_limit_is_refused_until_one_has_ended() -> None:
    held = Held()
    async with serving(Served(limits=AdmissionLimits(writes=1))) as served:
        served.awards.make = held
        first = asyncio.ensure_future(served.rewards.AwardPoints(VALID))
        await held.begun.wait()
        with refused(Reason.OVERLOADED) as refusal:
            await served.rewards.AwardPoints(VALID)
        held.go.set()
        await first
        await served.rewards.AwardPoints(VALID)
    assert refusal.retry_after == RETRY_AFTER.total_seconds()
    assert len(served.awards.commands) == 2


async def test_writes_leave_room_for_reads() -> None:
    async with serving(Served(limits=AdmissionLimits(writes=0))) as served:
        with refused(Reason.OVERLOADED):
            await served.rewards.AwardPoints(VALID)
        await served.rewards.GetRewards(GetRewardsRequest(user_id="u"))


async def test_streams_are_counted_while_they_are_open() -> None:
    held = Held()
    async with serving(Served(limits=AdmissionLimits(streams=1))) as served:
        served.watches.run = held.watch
        first = served.leaderboards.WatchRank(WatchRankRequest(user_id="u"))
        await held.begun.wait()
        with refused(Reason.OVERLOADED):
            async for _ in served.leaderboards.WatchRank(WatchRankRequest(user_id="u")):
                pass
        held.go.set()
        assert [message.sequence async for message in first] == [7]
        again = served.leaderboards.WatchRank(WatchRankRequest(user_id="u"))
        assert [message.sequence async for message in again] == [7]


async def test_a_cancelled_call_makes_room() -> None:
    held = Held()
    async with serving(Served(limits=AdmissionLimits(writes=1))) as served:
        served.awards.make = held
        first = served.rewards.AwardPoints(VALID)
        await held.begun.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        held.go.set()
        await asyncio.wait_for(held.ended.wait(), 60)
        await served.rewards.AwardPoints(VALID)


async def test_a_refused_call_is_not_even_parsed() -> None:
    async with serving(Served(limits=AdmissionLimits(writes=0))) as served:
        with refused(Reason.OVERLOADED):
            await served.call("/laurel.rewards.v1.RewardsService/AwardPoints", b"\xff\xff")


async def test_draining_refuses_what_is_new_and_ends_what_was_begun(served: Served) -> None:
    served.awards.make = held = Held()
    first = asyncio.ensure_future(served.rewards.AwardPoints(VALID))
    await held.begun.wait()
    served.admission.drain()
    with refused(Reason.DRAINING):
        await served.rewards.GetRewards(GetRewardsRequest(user_id="u"))
    with refused(Reason.DRAINING):
        async for _ in served.leaderboards.WatchRank(WatchRankRequest(user_id="u")):
            pass
    held.go.set()
    assert (await first).transaction.user_id == "u"
