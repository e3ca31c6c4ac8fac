"""`laurel serve`: everything at once, with engines out of wheels unless the environment names others."""

import asyncio
import json
import time
from contextlib import suppress
from functools import partial
from typing import Annotated

import typer
from pydantic import SecretStr

from laurel_server.devstack.engines import Engine
from laurel_server.devstack.ports import Endpoint
from laurel_server.devstack.stack import Gateway, Ready, StackOptions, run_stack
from laurel_server.postgres.schema import current_of, head
from laurel_server.runtime.config import Settings
from laurel_server.runtime.environment import is_loopback, load_settings, unknown_variables
from laurel_server.runtime.jwt import read_jwt
from laurel_server.runtime.probe import check_health
from laurel_server.runtime.tls import read_tls


def serve(
    *,
    analytics: Annotated[
        bool, typer.Option("--analytics", help="Also start ClickHouse, as a library, for trends.")
    ] = False,
) -> None:
    """Start PostgreSQL, Redis and the server, keep them running, and stop them on SIGTERM or Ctrl-C.

    Once everything answers, a line of JSON on standard output says so; all else goes to standard error.
    """
    started = time.monotonic()
    for stranger, meant in unknown_variables().items():
        report(f"warning: {stranger} sets nothing{f'; did you mean {meant}?' if meant else ''}")
    asyncio.run(
        run_stack(stack_options(load_settings(), analytics=analytics), report, partial(announce, started))
    )
    report("Laurel has stopped")


def stack_options(settings: Settings, *, analytics: bool = False) -> StackOptions:
    """Returns the options of the stack that the settings ask for."""
    return StackOptions(
        data_dir=settings.devstack.data_dir,
        grpc=Endpoint(settings.grpc.host, settings.grpc.port),
        http=Endpoint(settings.http.host, settings.http.port),
        operations=Endpoint(settings.operations.host, settings.operations.port),
        probe=check_health,
        migrate=_migrate,
        pg_dsn=_secret(settings.ledger.pg_dsn),
        redis_url=_secret(settings.boards.redis_url),
        redis_cluster=settings.boards.redis_cluster,
        kafka=settings.events.kafka_bootstrap,
        analytics=analytics and settings.analytics.clickhouse_url is None,
        pg_bin=settings.devstack.pg_bin,
        start_seconds=settings.devstack.start_seconds,
        drain_seconds=settings.devstack.drain_seconds,
        processes=settings.grpc.processes,
        gateway=gateway_of(settings),
    )


def gateway_of(settings: Settings) -> Gateway | None:
    """Returns what the gateway of these settings is like."""
    if not settings.http.gateway:
        return None
    return Gateway(
        origins=settings.http.origins,
        rate=settings.http.rate_limit,
        exposed=not is_loopback(settings.http.host),
        threads=settings.http.threads,
        max_message_bytes=settings.grpc.max_message_bytes,
        deadline_seconds=settings.grpc.max_deadline_seconds,
        tls=read_tls(settings.http),
        jwt=read_jwt(settings),
    )


def report(line: str) -> None:
    """Writes a line to standard error; that nobody reads it any more must not stop the service."""
    with suppress(OSError):
        typer.echo(line, err=True)


async def _migrate(dsn: str) -> None:
    found = await current_of(dsn)
    if found == head():
        return
    from laurel_server.postgres.migrate import upgrade  # noqa: PLC0415 - loading Alembic takes long and is rarely needed

    await upgrade(dsn)
    report(f"migrated the ledger from {found or 'nothing'} to {head()}")


def announce(started: float, ready: Ready) -> None:
    """Says what is where, and writes the ready line; `started` is the monotonic time of the start."""
    report(_summary(ready, time.monotonic() - started))
    typer.echo(json.dumps({"ready": True, "grpc": str(ready.grpc), "http": str(ready.http)}))


_AWARD = (
    '{"request_id": "r-1", "user_id": "ada", "action": "PURCHASE", "attributes": {"order_value": "1999.00"}}'
)


def _summary(ready: Ready, seconds: float) -> str:
    return f"""\
Laurel is ready after {seconds:.1f} s
  gRPC        {ready.grpc}
  HTTP        {ready.http}  ({_served(ready)})
  {_line(ready.postgres)}
  {_line(ready.redis)}
  data, logs  {ready.data.root}
Try
  grpcurl -plaintext {ready.grpc} list
  grpcurl -plaintext -d '{_AWARD}' \\
    {ready.grpc} laurel.rewards.v1.RewardsService/AwardPoints
  grpcurl -plaintext -d '{{"board": {{"scope": "global"}}}}' \\
    {ready.grpc} laurel.leaderboard.v1.LeaderboardService/GetLeaderboard
  curl '{ready.http}/api/v1/leaderboard/global?period=weekly&limit=10'"""


def _line(engine: Engine) -> str:
    return f"{engine.name:<11} {engine.version}, {engine.place}"


def _served(ready: Ready) -> str:
    if ready.gateway is None:
        return "/metrics, /healthz"
    return f"REST, gRPC-Web, /metrics, /healthz; Envoy {ready.gateway.version}"


def _secret(value: SecretStr | None) -> str | None:
    return None if value is None else value.get_secret_value()
