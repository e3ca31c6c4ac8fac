from collections.abc import AsyncIterator

import grpc
import pytest

from laurel.leaderboard.v1.leaderboard_service_pb2_grpc import LeaderboardServiceStub
from laurel_server.rpc.health import Health
from laurel_server.rpc.interceptors.admission import Admission
from laurel_server.rpc.interceptors.chain import standard_chain
from laurel_server.rpc.interceptors.deadline import DeadlineBounds
from laurel_server.rpc.leaderboards import LeaderboardsServicer
from laurel_server.rpc.scores import ScoresServicer
from laurel_server.rpc.server import ServerOptions, build_server, listen
from laurel_server.rpc.watch import WatchServicer
from laurel_server.runtime.wiring import Parts


@pytest.fixture
async def boards(parts: Parts) -> AsyncIterator[LeaderboardServiceStub]:
    """Serve boards and watches on real engines; gives a client."""
    chain = standard_chain(Admission(), DeadlineBounds())
    servicers = (
        LeaderboardsServicer(parts.queries, page_max_age=0),
        WatchServicer(parts.hub),
        ScoresServicer(parts.scores),
    )
    server = await build_server(servicers, chain, ServerOptions(), Health())
    port = listen(server, "127.0.0.1", 0)
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield LeaderboardServiceStub(channel)
    finally:
        await server.stop(None)
