"""What `laurel doctor` looks at. Nothing here changes anything."""

import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import Final

import msgspec

from laurel_server.commands.ledger_address import ledger_dsn, running_stack
from laurel_server.devstack.binaries import Program, find_envoy, find_postgres, find_redis, version_tuple
from laurel_server.devstack.engines import external_postgres, external_redis
from laurel_server.devstack.errors import DevstackError
from laurel_server.devstack.identity import choose_identity
from laurel_server.devstack.ports import Endpoint, reserved
from laurel_server.postgres import schema
from laurel_server.postgres.connection import open_connection
from laurel_server.runtime.config import Settings
from laurel_server.runtime.environment import ConfigError, load_settings, unknown_variables

_PACKAGES: Final = (
    "grpcio",
    "protobuf",
    "protovalidate",
    "asyncpg",
    "redis",
    "hiredis",
    "uvloop",
    "sqlalchemy",
    "alembic",
)
# The oldest that still gets fixes; older ones have known holes.
_PRODUCTION_REDIS: Final = (7, 2)
_MIN_FREE_BYTES: Final = 1 << 30
_MAX_CLOCK_SKEW_SECONDS: Final = 1.0
_DURABLE: Final = ("fsync", "full_page_writes", "synchronous_commit")
"""Settings of PostgreSQL without which what was acknowledged may be gone after a power cut."""


class State(StrEnum):
    """How grave a finding is."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    subject: str
    detail: str
    state: State = State.OK
    advice: str = ""
    """What to do, unless the detail says it."""


async def diagnose() -> list[Finding]:
    """Looks at everything; if the settings are wrong, only at what does not depend on them."""
    findings = [
        Finding("python", f"{sys.version.split()[0]} at {sys.executable}"),
        *_packages(),
        *_strangers(),
    ]
    try:
        settings = load_settings()
    except ConfigError as error:
        return findings + [Finding("settings", problem, State.WRONG) for problem in error.problems]
    for subject, look in _LOOKS.items():
        try:
            findings += [finding async for finding in look(settings)]
        except DevstackError as error:
            findings.append(Finding(subject, str(error), State.WRONG))
    return findings


def _packages() -> list[Finding]:
    found = {name: _installed(name) for name in _PACKAGES}
    present = Finding(
        "packages", ", ".join(f"{name} {version}" for name, version in found.items() if version)
    )
    missing = [name for name, version in found.items() if version is None]
    return [
        present,
        *(Finding("packages", f"no {name}", State.WRONG, "run ./scripts/setup") for name in missing),
    ]


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _strangers() -> list[Finding]:
    return [
        Finding(
            "settings",
            f"{name} sets nothing",
            State.WARNING,
            f"did you mean {meant}?" if meant else "unset it",
        )
        for name, meant in unknown_variables().items()
    ]


async def _data(settings: Settings) -> AsyncIterator[Finding]:
    root = settings.devstack.data_dir.absolute()
    present = _first_existing(root)
    if not (present.is_dir() and os.access(present, os.W_OK | os.X_OK)):
        raise DevstackError(f"cannot write to {present}; set LAUREL_DATA_DIR to a directory of yours")
    free = shutil.disk_usage(present).free
    detail = f"{root}, {free / (1 << 30):.1f} GiB free"
    if free < _MIN_FREE_BYTES:
        yield Finding(
            "data", detail, State.WARNING, "make room: the log of PostgreSQL alone may grow to 2 GiB"
        )
    else:
        yield Finding("data", detail)


async def _ports(settings: Settings) -> AsyncIterator[Finding]:
    stack = running_stack(settings)
    ours = (stack.grpc, stack.http) if stack else ()
    wanted = {
        "LAUREL_GRPC_PORT": Endpoint(settings.grpc.host, settings.grpc.port),
        "LAUREL_HTTP_PORT": Endpoint(settings.http.host, settings.http.port),
    }
    for variable, endpoint in wanted.items():
        if str(endpoint) in ours:
            yield Finding("ports", f"{endpoint} is used by the `laurel serve` of this data directory")
        else:
            yield _port(endpoint, variable)


def _port(endpoint: Endpoint, variable: str) -> Finding:
    try:
        with reserved(endpoint.host, endpoint.port, variable):
            return Finding("ports", f"{endpoint} is free" if endpoint.port else f"{variable}=0: a free one")
    except DevstackError as error:
        return Finding("ports", str(error), State.WRONG)


async def _postgres(settings: Settings) -> AsyncIterator[Finding]:
    dsn = settings.ledger.pg_dsn
    if dsn is None:
        yield _embedded("postgresql", find_postgres(settings.devstack.pg_bin), settings)
    else:
        engine = await external_postgres(dsn.get_secret_value())
        yield Finding("postgresql", f"{engine.version}, {engine.place}")


async def _redis(settings: Settings) -> AsyncIterator[Finding]:
    url = settings.boards.redis_url
    if url is None:
        yield _embedded("redis", find_redis(), settings)
        return
    engine = await external_redis(url.get_secret_value(), cluster=settings.boards.redis_cluster)
    if version_tuple(engine.version) < _PRODUCTION_REDIS:
        advice = "run Redis 7.2 or newer, or Valkey 8, in production: this version gets no fixes any more"
        yield Finding("redis", f"{engine.version}, {engine.place}", State.WARNING, advice)
    else:
        yield Finding("redis", f"{engine.version}, {engine.place}")


def _embedded(name: str, program: Program, settings: Settings) -> Finding:
    identity = choose_identity(program.path, _first_existing(settings.devstack.data_dir.absolute()) / name)
    return Finding(name, f"{program.version_text}, embedded, {program.path}, would run {identity}")


async def _envoy(settings: Settings) -> AsyncIterator[Finding]:
    if not settings.http.gateway:
        return
    try:
        yield _embedded("envoy", find_envoy(), settings)
    except DevstackError as error:
        yield Finding("envoy", str(error), State.WARNING, "gRPC is served all the same, REST is not")


async def _ledger(settings: Settings) -> AsyncIterator[Finding]:
    """Looks into the database, if one runs."""
    if settings.ledger.pg_dsn is None and running_stack(settings) is None:
        yield Finding("schema", f"no ledger runs; `laurel serve` brings it to {schema.head()} at its start")
        return
    try:
        connection = await open_connection(ledger_dsn(settings))
    except (OSError, ValueError):
        return  # said of the engine above
    try:
        found = await schema.current(connection)
        now = await connection.fetchval("SELECT clock_timestamp()")
        off = [
            name
            for name in _DURABLE
            if await connection.fetchval("SELECT current_setting($1)", name) == "off"
        ]
    finally:
        await connection.close()
    yield _schema(found)
    yield _clock(now)
    if off:
        detail = f"{', '.join(off)} of PostgreSQL is off: a power cut may lose awards that were acknowledged"
        yield Finding("durability", detail, State.WARNING, "switch it on")


def _schema(found: str | None) -> Finding:
    head = schema.head()
    if found == head:
        return Finding("schema", f"the ledger is at {found or 'nothing'}")
    detail = f"the ledger is at {found or 'nothing'}, this program at {head}"
    if (found or "") > head:
        return Finding("schema", detail, State.WARNING, "install the release that the ledger was migrated by")
    return Finding("schema", detail, State.WRONG, "run `laurel migrate`")


def _clock(database_now: datetime) -> Finding:
    skew = abs((datetime.now(UTC) - database_now).total_seconds())
    if skew > _MAX_CLOCK_SKEW_SECONDS:
        return Finding(
            "clock", f"{skew:.1f} s apart from the ledger's", State.WRONG, "synchronize both machines (NTP)"
        )
    return Finding("clock", f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, as the ledger's")


def _first_existing(path: Path) -> Path:
    return next(candidate for candidate in (path, *path.parents) if candidate.exists())


_LOOKS: Final[dict[str, Callable[[Settings], AsyncIterator[Finding]]]] = {
    "data": _data,
    "ports": _ports,
    "postgresql": _postgres,
    "redis": _redis,
    "envoy": _envoy,
    "schema": _ledger,
}
