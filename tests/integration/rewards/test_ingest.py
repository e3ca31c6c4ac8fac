"""A stream of awards into a real ledger."""

from collections.abc import AsyncIterator

from laurel.rewards.v1.rewards_service_pb2 import AwardPointsRequest, AwardResult, IngestAwardsRequest
from laurel_server.runtime.wiring import Parts
from tests.integration.rpc.harness import Served, serving
from tests.integration.wired import listed, wrongs

COUNT = 3000
USERS = 50


async def pour(served: Served, count: int) -> dict[int, AwardResult]:
    """Send awards of one point and return the answers by position."""

    async def requests() -> AsyncIterator[IngestAwardsRequest]:
        for number in range(count):
            yield IngestAwardsRequest(
                award=AwardPointsRequest(
                    request_id=f"r-{number}",
                    user_id=f"u{number % USERS}",
                    action="GIVE",
                    attributes={"points": "1"},
                )
            )

    return {each.result.index: each.result async for each in served.rewards.IngestAwards(requests())}


async def test_every_award_of_a_stream_is_made_once(parts: Parts) -> None:
    async with serving(Served(awards=parts.awards, max_in_flight=256)) as served:  # type: ignore[arg-type]
        first = await pour(served, COUNT)
        again = await pour(served, COUNT)
    assert first.keys() == again.keys() == set(range(COUNT))
    assert {result.award.replayed for result in first.values()} == {False}
    assert {result.award.replayed for result in again.values()} == {True}
    ids = [first[index].award.transaction.transaction_id for index in range(COUNT)]
    assert len(set(ids)) == COUNT
    assert [again[index].award.transaction.transaction_id for index in range(COUNT)] == ids
    assert sorted(await listed(parts)) == sorted((f"u{number}", COUNT // USERS) for number in range(USERS))
    assert await wrongs(parts) == []
