"""What a server process does from its start to its end.

Start: ledger, schema, parts, listeners, then SERVING. Stop (SIGTERM), in this order: NOT_SERVING and no new calls;
streams are told in-band to go elsewhere; calls in progress finish; awards in the queue are committed and answered;
pools close.
"""

import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

import grpc
import structlog
import uvloop

from laurel_server.postgres.connection import open_connection
from laurel_server.postgres.errors import UNAVAILABLE
from laurel_server.postgres.schema import SchemaMismatchError, require_current
from laurel_server.rpc.admin import AdminServicer
from laurel_server.rpc.badges_admin import BadgesAdminServicer
from laurel_server.rpc.boards_admin import BoardsAdminServicer
from laurel_server.rpc.callers import Callers
from laurel_server.rpc.corrections import CorrectionsServicer
from laurel_server.rpc.health import Health
from laurel_server.rpc.ingest import IngestServicer
from laurel_server.rpc.interceptors.admission import Admission, AdmissionLimits
from laurel_server.rpc.interceptors.chain import standard_chain
from laurel_server.rpc.interceptors.deadline import DeadlineBounds
from laurel_server.rpc.jobs import JobsServicer
from laurel_server.rpc.leaderboards import LeaderboardsServicer
from laurel_server.rpc.notifications import NotificationsServicer
from laurel_server.rpc.people import PeopleServicer
from laurel_server.rpc.periods import PeriodsServicer
from laurel_server.rpc.rank_history import RankHistoryServicer
from laurel_server.rpc.ranking import RankingServicer
from laurel_server.rpc.rewards import RewardsServicer
from laurel_server.rpc.sandbox import SandboxServicer
from laurel_server.rpc.scores import ScoresServicer
from laurel_server.rpc.server import ListenError, ServerOptions, Servicer, build_server, listen
from laurel_server.rpc.spending import SpendingServicer
from laurel_server.rpc.statements import StatementsServicer
from laurel_server.rpc.trends import TrendsServicer
from laurel_server.rpc.watch import WatchServicer
from laurel_server.rpc.watch_achievements import WatchAchievementsServicer
from laurel_server.runtime.config import Settings
from laurel_server.runtime.credentials import read_grants
from laurel_server.runtime.endings import end_all
from laurel_server.runtime.environment import ConfigError, load_settings
from laurel_server.runtime.openapi import openapi_page
from laurel_server.runtime.operations import OperationsServer
from laurel_server.runtime.pages import load_pages
from laurel_server.runtime.scheduling import settle_memory, share_the_processor_calmly
from laurel_server.runtime.telemetry import configure_logging
from laurel_server.runtime.wiring import Parts, wire

log = structlog.get_logger()

STREAMS_SECONDS = 2.0
"""How long the streams may take to say that they end."""

DUE_JOBS_SECONDS = 20.0
"""How long a server with a test clock waits at its start for the jobs that are due."""

LAST_CALLS_SECONDS = 5.0
"""How long calls in progress may go on after the streams have ended."""


class Server:
    """A running server process."""

    def __init__(self, settings: Settings, parts: Parts) -> None:
        self._settings = settings
        self._parts = parts
        self._health = Health()
        self._admission = Admission(
            AdmissionLimits(
                reads=settings.grpc.max_concurrent_calls,
                writes=settings.grpc.max_concurrent_calls,
                streams=settings.watch.max_streams,
            )
        )
        ledger = settings.ledger
        self._ingest = IngestServicer(
            parts.awards, settings.ingest.max_in_flight, min(ledger.max_batch, ledger.max_waiting)
        )
        self._serving = False
        self._operations = OperationsServer(
            lambda: self._serving,
            metrics=settings.telemetry.metrics,
            pages={"/openapi.json": openapi_page(), **load_pages()},
        )
        self._loops: list[asyncio.Task[None]] = []
        self._grpc: grpc.aio.Server | None = None

    async def start(self) -> None:
        """Listen and say SERVING. ListenError, OSError."""
        settings, parts = self._settings, self._parts
        bounds = DeadlineBounds(settings.grpc.default_deadline_seconds, settings.grpc.max_deadline_seconds)
        grants = read_grants(settings.auth)
        callers = Callers(grants) if grants else None
        metrics = settings.telemetry.metrics
        chain = standard_chain(self._admission, bounds, metrics=metrics, callers=callers)
        options = ServerOptions(
            max_message_bytes=settings.grpc.max_message_bytes,
            keepalive=settings.grpc.keepalive_seconds,
            keepalive_timeout=settings.grpc.keepalive_timeout_seconds,
            max_connection_age=settings.grpc.max_connection_age_seconds,
            shares_ports=settings.grpc.shared_port is not None,
        )
        self._grpc = await build_server(self._servicers(), chain, options, self._health)
        port = listen(self._grpc, settings.grpc.host, settings.grpc.port)
        parts.awards.start()
        parts.scores.start()
        parts.hub.start()
        self._loops = [asyncio.create_task(loop) for loop in parts.loops]
        if parts.clock is not None:
            # Who tries out downtime finds it made up for; what takes longer goes on.
            with suppress(TimeoutError):
                async with asyncio.timeout(DUE_JOBS_SECONDS):
                    await parts.jobs.run_due()
        await self._operations.start(settings.operations.host, settings.operations.port)
        settle_memory()
        if settings.grpc.shared_port is not None:
            # Not before, because the kernel deals out connections from here on.
            listen(self._grpc, settings.grpc.host, settings.grpc.shared_port)
        await self._grpc.start()
        await self._health.set_serving(True)
        self._serving = True
        log.info("server.ready", grpc=f"{settings.grpc.host}:{port}")

    async def stop(self) -> None:
        """Drain and stop, in the order that loses nothing."""
        self._serving = False
        await self._health.drain()
        self._admission.drain()
        self._ingest.drain()
        await self._parts.hub.drain(STREAMS_SECONDS)
        if self._grpc is not None:
            await self._grpc.stop(LAST_CALLS_SECONDS)
        await self._parts.jobs.close()
        await self._parts.awards.close()
        await self._parts.scores.close()
        with suppress(*UNAVAILABLE):
            await self._parts.confirmations.flush()
        await self._parts.hub.stop()
        await end_all(self._loops)
        await self._operations.stop()
        await self._close_engines()
        log.info("server.stopped")

    async def _close_engines(self) -> None:
        await self._parts.redis.close()
        with suppress(*UNAVAILABLE):
            await self._parts.leadership.close()
            await asyncio.wait_for(self._parts.pool.close(), 3)

    def _servicers(self) -> Sequence[Servicer]:
        parts, reads = self._parts, self._settings.reads
        servicers: list[Servicer] = [
            RewardsServicer(parts.awards),
            self._ingest,
            StatementsServicer(parts.statement, parts.explaining),
            SpendingServicer(parts.spending, parts.holds),
            CorrectionsServicer(parts.corrections),
            LeaderboardsServicer(
                parts.queries,
                reads.cache_max_age_ms / 1000,
                reads.cache_max_pages,
                clock_runs=parts.clock is None,
            ),
            WatchServicer(parts.hub),
            WatchAchievementsServicer(parts.hub, parts.feed),
            RankingServicer(parts.queries, parts.standing, parts.badges, parts.rule_book),
            PeriodsServicer(parts.queries, parts.periods, parts.faces),
            RankHistoryServicer(parts.queries, parts.ranks),
            BadgesAdminServicer(parts.rule_book),
            TrendsServicer(parts.trends, parts.queries, parts.business_clock, parts.zone),
            AdminServicer(parts.profiles, parts.rule_book, parts.queries, parts.maintenance),
            PeopleServicer(parts.people, parts.profiles),
            BoardsAdminServicer(parts.boards),
            ScoresServicer(parts.scores),
            JobsServicer(parts.jobs),
            NotificationsServicer(parts.preferences),
        ]
        if parts.clock is not None:
            servicers.append(SandboxServicer(parts.clock))
        return servicers


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises what keeps the server from starting."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    pg_dsn, redis_url = _addresses(settings)
    connection = await open_connection(pg_dsn)
    try:
        await require_current(connection)
    finally:
        await connection.close()
    server = Server(settings, await wire(settings, pg_dsn, redis_url))
    try:
        await server.start()
        await stop.wait()
    finally:
        await server.stop()


def _addresses(settings: Settings) -> tuple[str, str]:
    if settings.ledger.pg_dsn is None or settings.boards.redis_url is None:
        raise ConfigError(["LAUREL_PG_DSN and LAUREL_REDIS_URL must be set; `laurel serve` sets them"])
    return settings.ledger.pg_dsn.get_secret_value(), settings.boards.redis_url.get_secret_value()


def main() -> int:
    """Run the process; the exit code is 1 if it could not start, with the reason on standard error."""
    share_the_processor_calmly()
    try:
        settings = load_settings()
        configure_logging(settings.telemetry.log_level)
        uvloop.run(serve(settings))
    except (ConfigError, ListenError, SchemaMismatchError, *UNAVAILABLE) as reason:
        print(f"laurel server: {str(reason) or type(reason).__name__}", file=sys.stderr)  # noqa: T201
        return 1
    return 0
