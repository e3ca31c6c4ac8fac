"""A real ClickHouse, as the library that `serve --analytics` runs, and servers that fill it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.util import find_spec
from itertools import count
from urllib.request import urlopen

import pytest
from pydantic import SecretStr

from laurel_server.analytics.embedded import PASSWORD, USER
from laurel_server.analytics.engine import Engine
from laurel_server.runtime.config import Analytics, Events
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import running, until
from tests.kafka import free_port

_databases = count()

Analysed = Callable[..., AbstractAsyncContextManager[Parts]]


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a ClickHouse, without a database."""
    if find_spec("chdb") is None:
        pytest.skip("ClickHouse's library is not here; ./scripts/setup dev --analytics installs it")
    directory, port = tmp_path_factory.mktemp("clickhouse"), free_port()
    command = [sys.executable, "-P", "-m", "laurel_server.analytics.embedded", str(directory), str(port)]
    process = subprocess.Popen(command, env={**os.environ, PASSWORD: "secret"})
    try:
        asyncio.run(until(lambda: _answers(port), "ClickHouse answers", seconds=60))
        yield f"http://{USER}:secret@127.0.0.1:{port}"
    finally:
        process.terminate()
        assert process.wait(20) == 0


async def _answers(port: int) -> bool:
    return await asyncio.to_thread(_pings, port)


def _pings(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/ping", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture
async def clickhouse_url(clickhouse: str) -> AsyncIterator[str]:
    """The address of an empty database."""
    engine = Engine(f"{clickhouse}/laurel", 20)
    for table in ("entries", "tier_changes", "rank_snapshots", "period_results", "fills"):
        await engine.command(f"DROP TABLE IF EXISTS {table}")
    yield f"{clickhouse}/laurel"
    await engine.close()


@pytest.fixture
async def engine(clickhouse_url: str) -> AsyncIterator[Engine]:
    """A connection to the database."""
    engine = Engine(clickhouse_url, 20)
    yield engine
    await engine.close()


@pytest.fixture
def analysed(ledger_dsn: str, redis_url: str, clickhouse_url: str) -> Analysed:
    """Runs a server that fills ClickHouse and answers from it."""

    @asynccontextmanager
    async def run(events: Events | None = None) -> AsyncIterator[Parts]:
        analytics = Analytics(clickhouse_url=SecretStr(clickhouse_url))
        async with running(ledger_dsn, redis_url, analytics=analytics, events=events or Events()) as parts:
            yield parts

    return run
