"""`serve --analytics`: trends out of an embedded ClickHouse, which is supervised like the other engines."""

import os
import signal
from importlib.util import find_spec

import grpc
import pytest

from laurel.ranking.v1.ranking_service_pb2_grpc import RankingServiceStub
from laurel.ranking.v1.trends_pb2 import GetTrendsRequest
from laurel_client import Laurel
from tests.e2e.conftest import StartServe
from tests.e2e.serving import SERVE, Serve, eventually

pytestmark = pytest.mark.skipif(
    find_spec("chdb") is None,
    reason="ClickHouse's library is not here; ./scripts/setup dev --analytics installs it",
)


async def points_of_today(serve: Serve) -> float:
    async with grpc.aio.insecure_channel(serve.run["grpc"]) as channel:
        answer = await RankingServiceStub(channel).GetTrends(GetTrendsRequest(metric="points"))
    return answer.points[-1].value


async def test_trends_follow_awards_and_survive_the_end_of_clickhouse(start_serve: StartServe) -> None:
    serve = start_serve(command=[*SERVE, "--analytics"])
    async with Laurel(serve.run["grpc"]) as laurel:
        await laurel.rewards.award_points("ada", "REVIEW", request_id="r-1")
        assert await points_of_today(serve) == 20
        before = serve.pids["clickhouse"]
        os.kill(before, signal.SIGKILL)
        eventually(lambda: serve.pids["clickhouse"] != before, "ClickHouse runs again")
        await laurel.rewards.award_points("ada", "REVIEW", request_id="r-2")

    async def both() -> bool:
        try:
            return await points_of_today(serve) == 40
        except grpc.aio.AioRpcError:
            return False

    while not await both():
        pass  # the test's own time limit ends it
    assert serve.end() == 0
