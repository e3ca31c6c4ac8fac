"""Engines of their own for tests that kill them."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from laurel_server.postgres.migrate import upgrade
from tests.faults.deployment import Deployment
from tests.integration import engines
from tests.integration.conftest import run  # noqa: F401 - a fixture
from tests.integration.engines import Engine
from tests.today import pytest_runtest_protocol  # noqa: F401 - a hook

_databases = count()


@pytest.fixture(scope="session")
def doomed_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A PostgreSQL with the safety of production."""
    engine = engines.new_postgres(tmp_path_factory.mktemp("doomed-ledger"))
    yield engine.start()
    engine.stop()


@pytest.fixture(scope="session")
def doomed_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A Redis that keeps nothing."""
    engine = engines.new_redis(tmp_path_factory.mktemp("doomed-boards"))
    yield engine.start()
    engine.stop()


@pytest.fixture
async def deployment(
    doomed_postgres: Engine, doomed_redis: Engine, tmp_path: Path
) -> AsyncIterator[Deployment]:
    """A server that serves, on an empty ledger and an empty Redis."""
    async with deployed(doomed_postgres, doomed_redis, tmp_path) as deployment:
        yield deployment


@asynccontextmanager
async def deployed(
    postgres: Engine, redis: Engine, directory: Path, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Deployment]:
    """Run a server with LAUREL_* settings beside the defaults, on an empty ledger and an empty Redis."""
    database = f"laurel_{next(_databases)}"
    connection = await asyncpg.connect(engines.dsn(postgres, "postgres"))
    await connection.execute(f"CREATE DATABASE {database}")
    await connection.close()
    await upgrade(engines.dsn(postgres, database))
    async with Redis.from_url(engines.redis_url(redis)) as client:
        await client.flushall()
    deployment = Deployment(postgres, redis, database, directory / "server.log", settings)
    try:
        await deployment.start()
        yield deployment
    finally:
        await deployment.close()
