"""`laurel serve`: everything at once, with engines out of wheels unless the environment names others."""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Annotated, Final

import typer
from pydantic import SecretStr

from laurel_server.commands.announcement import announce
from laurel_server.devstack.gateway import Limits
from laurel_server.devstack.ports import Endpoint
from laurel_server.devstack.stack import Gateway, Ready, StackOptions, run_stack
from laurel_server.postgres.schema import current_of, head
from laurel_server.rpc.methods import Scope
from laurel_server.runtime.config import Settings
from laurel_server.runtime.credentials import read_grants
from laurel_server.runtime.environment import ConfigError, is_loopback, load_settings, unknown_variables
from laurel_server.runtime.jwt import read_jwt
from laurel_server.runtime.probe import check_health
from laurel_server.runtime.tls import read_tls

MOST_PROCESSES_UNASKED: Final = 4
"""Servers that a machine with many cores gets by default; each takes some 110 MB, and most need no more."""


def serve(
    *,
    analytics: Annotated[
        bool, typer.Option("--analytics", help="Also start ClickHouse, as a library, for trends.")
    ] = False,
    demo: Annotated[
        bool,
        typer.Option("--demo", help="Also play awards of people named demo:NAME, to have something to see."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Say in the line of JSON all that is said to people otherwise.")
    ] = False,
) -> None:
    """Start PostgreSQL, Redis and the server, keep them running, and stop them on SIGTERM or Ctrl-C.

    Once everything answers, a line of JSON on standard output says so; all else goes to standard error.
    """
    started = time.monotonic()
    for stranger, meant in unknown_variables().items():
        report(f"warning: {stranger} sets nothing{f'; did you mean {meant}?' if meant else ''}")
    settings = load_settings()
    options = stack_options(settings, analytics=analytics)
    announced = partial(announce, started, options, report, as_json=as_json)
    asyncio.run(_run(options, announced, _demo_token(settings) if demo else None))
    report("Laurel has stopped")


async def _run(options: StackOptions, announced: Callable[[Ready], None], demo: str | None) -> None:
    """Runs the stack until it is stopped; `demo` is the token with which the demo plays, None: there is none."""
    plays: list[asyncio.Task[None]] = []

    def begin(ready: Ready) -> None:
        announced(ready)
        if demo is not None:
            from laurel_server.commands.demo import play  # noqa: PLC0415 - only then it needs the client

            plays.append(asyncio.create_task(play(str(ready.grpc), demo, report)))

    try:
        await run_stack(options, report, begin)
    finally:
        for task in plays:
            task.cancel()
        await asyncio.gather(*plays, return_exceptions=True)


def _demo_token(settings: Settings) -> str:
    """Returns a token that may bring people in and award them; empty where everybody may."""
    grants = read_grants(settings.auth)
    able = [token for token, grant in grants.items() if {Scope.WRITE, Scope.ADMIN} <= grant.scopes]
    if grants and not able:
        raise ConfigError(["--demo needs a token with the scopes write and admin in LAUREL_AUTH_TOKENS"])
    return able[0] if able else ""


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
        processes=_processes(settings),
        gateway=gateway_of(settings),
    )


def _processes(settings: Settings) -> int:
    if settings.grpc.processes:
        return settings.grpc.processes
    return 1 if settings.sandbox.enabled else min(len(os.sched_getaffinity(0)), MOST_PROCESSES_UNASKED)


def gateway_of(settings: Settings) -> Gateway | None:
    """Returns what the gateway of these settings is like."""
    if not settings.http.gateway:
        return None
    return Gateway(
        origins=settings.http.origins,
        limits=Limits(
            settings.http.rate_limit, settings.http.client_rate_limit, settings.http.trusted_proxies
        ),
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


def _secret(value: SecretStr | None) -> str | None:
    return None if value is None else value.get_secret_value()
