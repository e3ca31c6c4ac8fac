"""The whole stack: engines, migrations, server; from start to stop."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from laurel_server.devstack.datadir import DataDir, open_data_dir
from laurel_server.devstack.engines import Engine, Engines
from laurel_server.devstack.errors import DevstackError
from laurel_server.devstack.gateway import GatewayOptions, Jwt, Limits, Tls
from laurel_server.devstack.listeners import Listeners, reserve_listeners
from laurel_server.devstack.locks import sole_owner
from laurel_server.devstack.ports import Endpoint, reserved
from laurel_server.devstack.reaper import Reaper
from laurel_server.devstack.runfile import RunFile
from laurel_server.devstack.server import SERVER_COMMAND, Probe, ServerProcess
from laurel_server.devstack.side_by_side import side_by_side
from laurel_server.devstack.supervisor import Report, Supervisor

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Gateway:
    """What the gateway is like; see GatewayOptions."""

    origins: Sequence[str]
    limits: Limits
    threads: int
    exposed: bool
    max_message_bytes: int
    deadline_seconds: float
    tls: Tls | None
    jwt: Jwt | None


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What to start, and where; port 0 means a free one, and an engine without address is embedded."""

    data_dir: Path
    grpc: Endpoint
    http: Endpoint
    operations: Endpoint
    probe: Probe
    migrate: Callable[[str], Awaitable[object]]
    """Brings the database at a DSN to the newest schema."""
    pg_dsn: str | None = None
    redis_url: str | None = None
    redis_cluster: bool = False
    kafka: str | None = None
    analytics: bool = False
    """Starts an embedded ClickHouse, unless the environment names another."""
    pg_bin: Path | None = None
    start_seconds: float = 60
    drain_seconds: float = 10
    processes: int = 1
    """Servers, which share the port for gRPC; the gateway balances over them."""
    gateway: Gateway | None = None
    """None: the listener for operators takes the place of a gateway."""
    server_command: Sequence[str] = SERVER_COMMAND


@dataclass(frozen=True, slots=True)
class Ready:
    """A stack that serves."""

    http: Endpoint
    servers: Sequence[Listeners]
    postgres: Engine
    redis: Engine
    clickhouse: Engine | None
    gateway: Engine | None
    data: DataDir

    @property
    def grpc(self) -> Endpoint:
        """Where clients of gRPC call."""
        return self.servers[0].public


async def run_stack(options: StackOptions, report: Report, announce: Callable[[Ready], None]) -> None:
    """Starts everything, announces it, and runs until SIGTERM, SIGINT or SIGHUP; a second one hurries the stop.

    Raises DevstackError if it cannot start; nothing is left running then either. Needs the main thread.
    """
    data = open_data_dir(options.data_dir)
    with sole_owner(data.owner_lock, data.root), ExitStack() as held, _stop_signals() as (stop, hurry):
        data.run_file.unlink(missing_ok=True)
        async with Reaper() as reaper:
            supervisor = Supervisor(data, reaper, report)
            try:
                engines = Engines(data, reaper, supervisor, held)
                start = _start(options, supervisor, engines, held, report)
                if (ready := await _unless(stop, start)) is not None:
                    announce(ready)
                    await stop.wait()
            finally:
                await supervisor.stop(hurry)
                data.run_file.unlink(missing_ok=True)


async def _start(
    options: StackOptions, supervisor: Supervisor, engines: Engines, held: ExitStack, report: Report
) -> Ready:
    """Starts the engines side by side, migrates, starts gateway and server, and writes the run file."""
    http = held.enter_context(reserved(options.http.host, options.http.port, "LAUREL_HTTP_PORT"))
    inner = options.operations if options.gateway else None
    servers = list(reserve_listeners(options.grpc, inner, http, options.processes, held))
    postgres, redis = await side_by_side(
        engines.postgres(options.pg_dsn, options.pg_bin),
        engines.redis(options.redis_url, cluster=options.redis_cluster),
    )
    clickhouse = await engines.clickhouse() if options.analytics else None
    await options.migrate(postgres.server_address)
    ready = Ready(http, servers, postgres, redis, clickhouse, None, engines.data)
    # Before the servers, so that it stops after them: calls and streams of REST end as the servers end them.
    if options.gateway is not None:
        ready = await _with_gateway(options.gateway, ready, engines, report)
    await supervisor.start(*(_server(options, ready, listeners) for listeners in servers))
    supervisor.changed = lambda: _write_run_file(ready, options.kafka, supervisor)
    supervisor.changed()
    return ready


async def _with_gateway(gateway: Gateway, ready: Ready, engines: Engines, report: Report) -> Ready:
    """Starts the gateway; where none runs, says so and goes on without."""
    options = GatewayOptions(
        listen=ready.http,
        servers=[each.grpc for each in ready.servers],
        operations=[each.operations for each in ready.servers],
        origins=gateway.origins,
        limits=gateway.limits,
        exposed=gateway.exposed,
        max_message_bytes=gateway.max_message_bytes,
        deadline_seconds=gateway.deadline_seconds,
        tls=gateway.tls,
        jwt=gateway.jwt,
    )
    try:
        return replace(ready, gateway=await engines.gateway(options, gateway.threads))
    except DevstackError as error:
        report(f"warning: there is no gateway, so no REST: {error}\ngRPC serves all the same")
        return replace(ready, http=ready.servers[0].operations)


def _server(options: StackOptions, ready: Ready, listeners: Listeners) -> ServerProcess:
    settings = {
        "LAUREL_DATA_DIR": str(ready.data.root),
        "LAUREL_GRPC_PORT": str(listeners.grpc.port),
        "LAUREL_OPERATIONS_HOST": listeners.operations.host,
        "LAUREL_OPERATIONS_PORT": str(listeners.operations.port),
        "LAUREL_PG_DSN": ready.postgres.server_address,
        "LAUREL_REDIS_URL": ready.redis.server_address,
    }
    if listeners.shared is not None:
        settings["LAUREL_GRPC_SHARED_PORT"] = str(listeners.shared.port)
    if ready.clickhouse is not None:
        settings["LAUREL_CLICKHOUSE_URL"] = ready.clickhouse.server_address
    return ServerProcess(
        name=listeners.name,
        grpc=listeners.grpc,
        settings=settings,
        probe=options.probe,
        drain_seconds=options.drain_seconds,
        ready_seconds=options.start_seconds,
        command=options.server_command,
    )


def _write_run_file(ready: Ready, kafka: str | None, supervisor: Supervisor) -> None:
    content = RunFile(
        grpc=str(ready.grpc),
        http=str(ready.http),
        pg_dsn=ready.postgres.address,
        redis_url=ready.redis.address,
        kafka=kafka,
        processes=supervisor.processes,
    )
    content.write(ready.data.run_file)


@contextmanager
def _stop_signals() -> Iterator[tuple[asyncio.Event, asyncio.Event]]:
    """Gives two events: set by the first signal to stop, and by the second."""
    stop, hurry = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def asked_to_stop() -> None:
        (hurry if stop.is_set() else stop).set()

    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, asked_to_stop)
    try:
        yield stop, hurry
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


async def _unless(stop: asyncio.Event, start: Coroutine[Any, Any, A]) -> A | None:
    """Returns what `start` returns, or None, with `start` cancelled, once the event is set."""
    starting, stopping = asyncio.create_task(start), asyncio.create_task(stop.wait())
    await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if starting.done():
        return starting.result()
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    return None
