"""A server process on engines of its own, any of which may be killed, and callers that do not give up."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from laurel.admin.v1.admin_service_pb2 import VerifyIntegrityRequest
from laurel.admin.v1.admin_service_pb2_grpc import AdminServiceStub
from laurel.rewards.v1.rewards_service_pb2 import AwardPointsRequest, AwardPointsResponse
from laurel.rewards.v1.rewards_service_pb2_grpc import RewardsServiceStub
from tests.integration import engines
from tests.integration.engines import Engine
from tests.ports import free_port

POINTS = 20
"""What a REVIEW is worth to a user of the first tier."""

CHANNEL = [
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 200),
]


class Deployment:
    """A server on PostgreSQL and Redis."""

    def __init__(
        self,
        postgres: Engine,
        redis: Engine,
        database: str,
        log: Path,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.postgres = postgres
        self.redis = redis
        self.dsn = engines.dsn(postgres, database)
        self.port = free_port()
        self.channel = grpc.aio.insecure_channel(f"127.0.0.1:{self.port}", CHANNEL)
        self._log = log
        self._settings = settings or {}
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self, seconds: float = 60) -> None:
        """Start the server and wait until it serves."""
        self._spawn()
        await self.until(self.serves, "the server serves", seconds)

    def _spawn(self) -> None:
        command = [sys.executable, "-m", "laurel_server.runtime.server"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, env=self._environment(), stdout=log, stderr=log)

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("LAUREL_")}
        return inherited | {
            "LAUREL_PG_DSN": self.dsn,
            "LAUREL_REDIS_URL": engines.redis_url(self.redis),
            "LAUREL_GRPC_PORT": str(self.port),
            "LAUREL_REPAIR_INTERVAL_MS": "200",
            "LAUREL_BOARDS_READ_TIMEOUT_MS": "5000",
            **self._settings,
        }

    def kill(self) -> None:
        """End the server at once."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    async def close(self) -> None:
        """End the server."""
        await self.channel.close()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                await asyncio.to_thread(self._process.wait, 60)
            finally:
                self.kill()

    async def serves(self) -> bool:
        """Whether the server says that it serves."""
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()
        check = self.channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=HealthCheckRequest.SerializeToString,
            response_deserializer=HealthCheckResponse.FromString,
        )
        try:
            answer = await check(HealthCheckRequest(), timeout=1)
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.status == HealthCheckResponse.SERVING)

    async def award(self, request: AwardPointsRequest, seconds: float = 20) -> AwardPointsResponse:
        """Call AwardPoints once."""
        answer: AwardPointsResponse = await RewardsServiceStub(self.channel).AwardPoints(
            request, timeout=seconds
        )
        return answer

    async def whole(self) -> bool:
        """Whether VerifyIntegrity finds nothing wrong."""
        try:
            answer = await AdminServiceStub(self.channel).VerifyIntegrity(
                VerifyIntegrityRequest(), timeout=60
            )
        except grpc.aio.AioRpcError as refused:
            assert refused.code() is grpc.StatusCode.UNAVAILABLE, refused  # noqa: PT017
            return False
        return bool(answer.ok)

    async def until(self, condition: Callable[[], Awaitable[bool]], what: str, seconds: float = 60) -> None:
        """Wait until the condition holds."""
        deadline = time.monotonic() + seconds
        while not await condition():
            assert time.monotonic() < deadline, (
                f"not within {seconds:g} s: {what}\n{self._log.read_text()[-4000:]}"
            )
            await asyncio.sleep(0.05)

    async def entries(self) -> list[tuple[str, int]]:
        """Return request id and transaction id of all entries in the ledger."""
        connection = await asyncpg.connect(self.dsn)
        try:
            rows = await connection.fetch("SELECT request_id, transaction_id FROM reward_transactions")
        finally:
            await connection.close()
        return [(row["request_id"], row["transaction_id"]) for row in rows]


@dataclass
class Load:
    """Callers that award without pause, and try again with the same request_id until they know the outcome."""

    deployment: Deployment
    acknowledged: dict[str, int] = field(default_factory=dict)
    sent: int = 0
    failures: int = 0
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def until_acknowledged(self, count: int) -> None:
        """Wait for that many more acknowledged awards."""
        goal = len(self.acknowledged) + count

        async def enough() -> bool:
            return len(self.acknowledged) >= goal

        await self.deployment.until(enough, f"{count} more awards are acknowledged")

    async def until_failures(self) -> None:
        """Wait until a caller meets the fault."""
        before = self.failures

        async def failed() -> bool:
            return self.failures > before

        await self.deployment.until(failed, "a call fails")

    async def call(self, caller: int) -> None:
        """Award until the end."""
        number = 0
        while not self._stop.is_set():
            number += 1
            self.sent += 1
            await self._award(
                AwardPointsRequest(
                    request_id=f"{caller}-{number}",
                    user_id=f"user-{(caller * 7 + number) % 40}",
                    action="REVIEW",
                )
            )

    async def _award(self, request: AwardPointsRequest) -> None:
        while True:
            try:
                answer = await self.deployment.award(request)
            except grpc.aio.AioRpcError as failed:
                assert failed.code() in RETRYABLE, failed  # noqa: PT017
                self.failures += 1
                await asyncio.sleep(0.02)
            else:
                self.acknowledged[request.request_id] = int(answer.transaction.transaction_id)
                return

    def stop(self) -> None:
        """Let every caller finish the award that he is at."""
        self._stop.set()


RETRYABLE = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.CANCELLED,
}


@asynccontextmanager
async def load(deployment: Deployment, callers: int = 16) -> AsyncIterator[Load]:
    """Keep the deployment under load; afterwards every award sent is known to have been made."""
    under_load = Load(deployment)
    async with asyncio.timeout(150), asyncio.TaskGroup() as group:
        for caller in range(callers):
            group.create_task(under_load.call(caller))
        try:
            yield under_load
        finally:
            under_load.stop()


async def assert_nothing_lost_or_doubled(deployment: Deployment, done: Load) -> None:
    """Check every acknowledged award against the ledger, and the boards against both."""
    assert len(done.acknowledged) == done.sent
    assert dict(await deployment.entries()) == done.acknowledged
    assert len(await deployment.entries()) == done.sent
    await deployment.until(deployment.whole, "VerifyIntegrity finds nothing wrong")


def stopped(engine: Engine) -> None:
    """Let the engine stand still."""
    engine.signal(signal.SIGSTOP)


def continued(engine: Engine) -> None:
    """Let it go on."""
    engine.signal(signal.SIGCONT)
