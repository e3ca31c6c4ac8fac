"""The client: one connection, and an object for each service."""

from copy import copy
from types import TracebackType
from typing import NamedTuple, Self

import grpc

from laurel.admin.v1.admin_service_pb2_grpc import AdminServiceStub
from laurel.leaderboard.v1.leaderboard_service_pb2_grpc import LeaderboardServiceStub
from laurel.ranking.v1.ranking_service_pb2_grpc import RankingServiceStub
from laurel.rewards.v1.rewards_service_pb2_grpc import RewardsServiceStub
from laurel.sandbox.v1.sandbox_service_pb2_grpc import SandboxServiceStub
from laurel_client.admin import Admin
from laurel_client.caller import Caller, credentials
from laurel_client.channel import open_channel
from laurel_client.leaderboards import Leaderboards
from laurel_client.ranking import Ranking
from laurel_client.rewards import Rewards
from laurel_client.sandbox import Sandbox


class _Connection(NamedTuple):
    """A channel with the stubs that use it; clients with other timeouts may share it."""

    channel: grpc.aio.Channel
    rewards: RewardsServiceStub
    leaderboards: LeaderboardServiceStub
    ranking: RankingServiceStub
    admin: AdminServiceStub
    sandbox: SandboxServiceStub


class Laurel:
    """A client of the Laurel at `target`, made and used in one event loop; it connects with its first call.

    `token` says who calls, where the server asks for that; it travels as it is, so over a network only inside TLS. A
    call takes at most `timeout` seconds, retries included, and then raises LaurelCallError DEADLINE_EXCEEDED. A
    watch goes on for `patience` seconds without reaching the server.
    """

    def __init__(
        self,
        target: str = "127.0.0.1:50051",
        *,
        token: str = "",
        timeout: float = 10.0,
        patience: float = 60.0,
    ) -> None:
        self._metadata = credentials(token)
        self._patience = patience
        self._connection = _connect(target)
        self._set_timeout(timeout)

    def with_timeout(self, timeout: float) -> Self:
        """Return a client on the same connection whose calls take at most `timeout` seconds. Costs microseconds."""
        client = copy(self)
        client._set_timeout(timeout)  # noqa: SLF001 - a copy of this object
        return client

    async def close(self) -> None:
        """Close the connection; calls and watches in progress end."""
        await self._connection.channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _set_timeout(self, timeout: float) -> None:
        connection, caller = self._connection, Caller(timeout, self._metadata)
        self.rewards = Rewards(connection.rewards, caller)
        self.leaderboards = Leaderboards(connection.leaderboards, caller, self._patience)
        self.ranking = Ranking(connection.ranking, caller, self._patience)
        self.admin = Admin(connection.admin, caller)
        self.sandbox = Sandbox(connection.sandbox, caller)


def _connect(target: str) -> _Connection:
    channel = open_channel(target)
    return _Connection(
        channel,
        RewardsServiceStub(channel),
        LeaderboardServiceStub(channel),
        RankingServiceStub(channel),
        AdminServiceStub(channel),
        SandboxServiceStub(channel),
    )
