"""Real engines for all integration tests: started once, with a database of its own for every test."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, TypeAlias

import asyncpg
import pytest
from hypothesis import settings
from redis.asyncio import Redis

from laurel_server.postgres.migrate import upgrade
from laurel_server.runtime.wiring import Parts
from tests.integration import engines
from tests.integration.engines import Engine
from tests.integration.wired import running

TEMPLATE = "laurel_template"

UNSAFE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}

pytest.register_assert_rewrite("tests.integration.rewards.ledger_machine")

settings.register_profile(
    "thorough", max_examples=200, stateful_step_count=60, deadline=None, derandomize=False
)

Run: TypeAlias = Callable[[Coroutine[Any, Any, Any]], Any]

_databases = count()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A PostgreSQL that need not survive a power cut, and copies databases fast for it."""
    engine = engines.new_postgres(tmp_path_factory.mktemp("ledger"), **UNSAFE)
    yield engine.start()
    engine.stop()


@pytest.fixture(scope="session")
def redis_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A Redis that no test stops."""
    engine = engines.new_redis(tmp_path_factory.mktemp("boards"))
    yield engine.start()
    engine.stop()


@pytest.fixture(scope="session")
async def template(postgres: Engine) -> str:
    """A migrated database that is only ever copied."""
    await _on(postgres, f"CREATE DATABASE {TEMPLATE}")
    await upgrade(engines.dsn(postgres, TEMPLATE))
    return TEMPLATE


@pytest.fixture
async def ledger_dsn(postgres: Engine, template: str) -> AsyncIterator[str]:
    """The address of a new, migrated database."""
    async with new_ledger(postgres, template) as dsn:
        yield dsn


@asynccontextmanager
async def new_ledger(postgres: Engine, template: str) -> AsyncIterator[str]:
    """Copy the template and give the address of the copy."""
    name = f"laurel_{next(_databases)}"
    await _on(postgres, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    yield engines.dsn(postgres, name)
    await _on(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def redis_url(redis_engine: Engine) -> str:
    """The address of an empty Redis."""
    url = engines.redis_url(redis_engine)
    async with Redis.from_url(url) as client:
        await client.flushall()
        await client.script_flush()
    return url


@pytest.fixture
async def parts(ledger_dsn: str, redis_url: str) -> AsyncIterator[Parts]:
    """A server without its transport, whose clock stands at `wired.START`."""
    async with running(ledger_dsn, redis_url) as parts:
        yield parts


@pytest.fixture(scope="session")
def own_redis_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A Redis that tests stop and kill."""
    engine = engines.new_redis(tmp_path_factory.mktemp("fragile"))
    yield engine.start()
    engine.stop()


async def _on(postgres: Engine, statement: str) -> None:
    connection = await asyncpg.connect(engines.dsn(postgres, "postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
def run() -> Iterator[Run]:
    """Run coroutines from tests that Hypothesis calls many times and that are no coroutines for that reason."""
    with ThreadPoolExecutor(1) as thread, asyncio.Runner() as runner:

        def run_there(work: Coroutine[Any, Any, Any]) -> Any:
            return thread.submit(runner.run, work).result()

        yield run_there
        thread.submit(runner.close).result()
