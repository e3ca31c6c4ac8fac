import pytest

from laurel.leaderboard.v1.leaderboard_service_pb2 import GetLeaderboardRequest
from laurel.leaderboard.v1.leaderboard_service_pb2_grpc import LeaderboardServiceStub
from laurel.rewards.v1.rewards_service_pb2 import AwardPointsRequest
from laurel.type.v1.board_pb2 import RANK_STATE_PENDING
from tests.faults.deployment import (
    POINTS,
    Deployment,
    assert_nothing_lost_or_doubled,
    continued,
    load,
    stopped,
)

pytestmark = pytest.mark.timeout(180)


async def test_a_killed_server_loses_and_doubles_no_award(deployment: Deployment) -> None:
    async with load(deployment) as under_load:
        for _ in range(3):
            await under_load.until_acknowledged(200)
            deployment.kill()
            await under_load.until_failures()
            await deployment.start()
        await under_load.until_acknowledged(200)

    await assert_nothing_lost_or_doubled(deployment, under_load)


async def test_a_server_killed_between_the_ledger_and_the_boards_leaves_no_gap(
    deployment: Deployment,
) -> None:
    await deployment.award(AwardPointsRequest(request_id="r-1", user_id="ann", action="REVIEW"))
    stopped(deployment.redis)
    try:
        answer = await deployment.award(
            AwardPointsRequest(request_id="r-2", user_id="ann", action="REVIEW"), seconds=30
        )
        deployment.kill()
    finally:
        continued(deployment.redis)
    assert answer.rank_state == RANK_STATE_PENDING

    await deployment.start()

    await deployment.until(deployment.whole, "the boards equal the ledger")
    page = await LeaderboardServiceStub(deployment.channel).GetLeaderboard(
        GetLeaderboardRequest(), timeout=20
    )
    assert [(entry.user_id, entry.score) for entry in page.entries] == [("ann", 2 * POINTS)]


async def test_a_killed_postgresql_loses_and_doubles_no_award(deployment: Deployment) -> None:
    async with load(deployment) as under_load:
        await under_load.until_acknowledged(200)
        deployment.postgres.kill()
        await under_load.until_failures()
        deployment.postgres.start()
        await under_load.until_acknowledged(200)

    await assert_nothing_lost_or_doubled(deployment, under_load)


async def test_a_redis_killed_under_load_is_filled_again_and_stops_no_award(deployment: Deployment) -> None:
    async with load(deployment) as under_load:
        await under_load.until_acknowledged(200)
        deployment.redis.kill()
        await under_load.until_acknowledged(100)
        deployment.redis.start()
        await under_load.until_acknowledged(200)

    assert under_load.failures == 0
    await assert_nothing_lost_or_doubled(deployment, under_load)
