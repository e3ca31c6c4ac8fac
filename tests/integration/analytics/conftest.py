"""A real ClickHouse, as the library that `serve --analytics` runs, and servers that fill it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from urllib.request import urlopen

import pytest
from pydantic import SecretStr

from laurel_server.analytics.embedded import PASSWORD, USER
from laurel_server.analytics.engine import Engine
from laurel_server.runtime.config_outside import Analytics, Events
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import running
from tests.ports import free_port

_databases = count()

Analysed = Callable[..., AbstractAsyncContextManager[Parts]]


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a ClickHouse, without a database."""
    if find_spec("chdb") is None:
        pytest.skip("ClickHouse's library is not here; ./scripts/setup dev --analytics installs it")
    engine = ClickHouse(tmp_path_factory.mktemp("clickhouse"))
    engine.start()
    yield engine.url
    assert engine.end(signal.SIGTERM) == 0


class ClickHouse:
    """A ClickHouse that a test may kill; it keeps its port, and its data in `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address, without a database."""
        return f"http://{USER}:secret@127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        module = "laurel_server.analytics.embedded"
        command = [sys.executable, "-P", "-m", module, str(self.directory), str(self._port)]
        self._process = subprocess.Popen(command, env={**os.environ, PASSWORD: "secret"})
        deadline = time.monotonic() + 60
        while not _pings(self._port):
            assert self._process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)  # nothing tells of it

    def end(self, number: signal.Signals) -> int:
        """End it by a signal and return how it ended; 0 if it does not run."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(number)
        return process.wait(20)


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
