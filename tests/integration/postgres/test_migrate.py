"""Migrations on a real PostgreSQL: plain SQL files, each whole or not at all, safe from several places at once."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from laurel_server.postgres import schema
from laurel_server.postgres.migrate import Migrated, upgrade
from laurel_server.postgres.schema import MigrationError, SchemaError, SchemaMismatchError
from tests.integration import engines
from tests.integration.engines import Engine

_MODULE = """
from laurel_server.postgres.migrations.plain_sql import run_sql_of
revision, down_revision = {number!r}, {before!r}
def upgrade() -> None:
    run_sql_of(__file__)
"""
_names = count()


@pytest.fixture
async def dsn(postgres: Engine) -> AsyncIterator[str]:
    """The address of an empty database."""
    name = f"empty_{next(_names)}"
    administrator = await asyncpg.connect(engines.dsn(postgres, "postgres"))
    await administrator.execute(f"CREATE DATABASE {name}")
    yield engines.dsn(postgres, name)
    await administrator.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await administrator.close()


@pytest.fixture
async def connection(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    """Migrations without a version, in a directory whose name needs care."""
    directory = tmp_path / "100% own"
    (directory / "versions").mkdir(parents=True)
    shutil.copy(schema.MIGRATIONS / "env.py", directory)
    return directory


def add(migrations: Path, number: str, sql: str) -> None:
    before = f"{int(number) - 1:04}" if int(number) > 1 else None
    (migrations / "versions" / f"{number}_step.py").write_text(_MODULE.format(number=number, before=before))
    (migrations / "versions" / f"{number}_step.sql").write_text(sql)


async def test_brings_an_empty_database_to_the_newest_schema(
    dsn: str, connection: asyncpg.Connection
) -> None:
    assert await upgrade(dsn) == Migrated(None, schema.head())
    assert await schema.current(connection) == schema.head()
    await schema.require_current(connection)


async def test_does_nothing_the_second_time(dsn: str) -> None:
    await upgrade(dsn)
    assert await upgrade(dsn) == Migrated(schema.head(), schema.head())


async def test_runs_the_statements_of_all_versions_in_order(
    dsn: str, connection: asyncpg.Connection, migrations: Path
) -> None:
    add(
        migrations,
        "0001",
        "CREATE TABLE steps (n int); -- a remark with :colons and %signs\nINSERT INTO steps VALUES (1);",
    )
    add(migrations, "0002", "INSERT INTO steps SELECT n + 1 FROM steps;")
    assert await upgrade(dsn, migrations) == Migrated(None, "0002")
    assert await connection.fetchval("SELECT array_agg(n ORDER BY n) FROM steps") == [1, 2]


async def test_a_version_that_fails_leaves_no_half(
    dsn: str, connection: asyncpg.Connection, migrations: Path
) -> None:
    add(migrations, "0001", "CREATE TABLE one ();")
    add(migrations, "0002", "CREATE TABLE two (); SELECT 1 / 0;")
    with pytest.raises(MigrationError, match="division by zero"):
        await upgrade(dsn, migrations)
    assert await schema.current(connection) == "0001"
    assert await connection.fetchval("SELECT to_regclass('two')") is None


async def test_two_at_once_take_turns(dsn: str, connection: asyncpg.Connection, migrations: Path) -> None:
    add(migrations, "0001", "CREATE TABLE once (); SELECT pg_sleep(0.2);")
    both = await asyncio.gather(*(upgrade(dsn, migrations) for _ in range(2)))
    assert {done.before for done in both} == {None, "0001"}
    assert await schema.current(connection) == "0001"


async def test_gives_up_on_another_migration_in_time(dsn: str, connection: asyncpg.Connection) -> None:
    await connection.execute("SELECT pg_advisory_lock(7281934406)")
    with pytest.raises(MigrationError, match="another migration"):
        await upgrade(dsn, wait_seconds=0.2)
    assert await schema.current(connection) is None


async def test_gives_up_on_a_locked_table(dsn: str, connection: asyncpg.Connection, migrations: Path) -> None:
    add(migrations, "0001", "CREATE TABLE busy ();")
    await upgrade(dsn, migrations)
    add(migrations, "0002", "SET LOCAL lock_timeout = '50ms'; ALTER TABLE busy ADD COLUMN n int;")
    async with connection.transaction():
        await connection.execute("LOCK TABLE busy IN ACCESS SHARE MODE")
        with pytest.raises(MigrationError, match="stayed locked"):
            await upgrade(dsn, migrations)
    assert await upgrade(dsn, migrations) == Migrated("0001", "0002")


async def test_limits_how_long_it_may_hold_others_up(
    dsn: str, connection: asyncpg.Connection, migrations: Path
) -> None:
    limits = "concat_ws(' ', current_setting('lock_timeout'), current_setting('statement_timeout'))"
    add(migrations, "0001", f"CREATE TABLE limits AS SELECT {limits} AS found")
    await upgrade(dsn, migrations)
    assert await connection.fetchval("SELECT found FROM limits") == "4s 1min"


async def test_refuses_a_newer_schema(dsn: str, migrations: Path) -> None:
    add(migrations, "0001", "SELECT 1")
    add(migrations, "0002", "SELECT 2")
    await upgrade(dsn, migrations)
    (migrations / "versions" / "0002_step.py").unlink()
    with pytest.raises(MigrationError, match="at 0002, newer than this program, which ends at 0001"):
        await upgrade(dsn, migrations)


async def test_a_server_does_not_start_on_an_older_schema(connection: asyncpg.Connection) -> None:
    with pytest.raises(SchemaMismatchError, match=r"at nothing.*laurel migrate"):
        await schema.require_current(connection)


async def test_a_server_starts_on_a_newer_schema(dsn: str, connection: asyncpg.Connection) -> None:
    await upgrade(dsn)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    await schema.require_current(connection)


@pytest.mark.parametrize(
    "address", ["postgresql://127.0.0.1:1/ledger", "mysql://ledger", "postgresql://user:hidden"]
)
async def test_a_database_that_is_not_there_is_told(address: str) -> None:
    with pytest.raises(SchemaError) as told:
        await upgrade(address)
    assert "hidden" not in str(told.value)


def test_versions_are_numbered_without_gaps_and_have_their_sql() -> None:
    versions = schema.MIGRATIONS / "versions"
    modules = sorted(file.stem for file in versions.glob("[0-9]*.py"))
    assert [name.partition("_")[0] for name in modules] == [f"{n:04}" for n in range(1, len(modules) + 1)]
    assert sorted(file.stem for file in versions.glob("*.sql")) == modules
    assert schema.head() == modules[-1].partition("_")[0]


async def test_ranks_of_days_from_before_are_told_further_on(
    dsn: str, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    def later(_directory: str, names: list[str]) -> list[str]:
        return [name for name in names if name[:4].isdigit() and name[:4] > "0029"]

    before = shutil.copytree(schema.MIGRATIONS, tmp_path / "before", ignore=later)
    await upgrade(dsn, before)
    await connection.execute(
        "INSERT INTO leaderboard_periods (scope, period_id, period_type) VALUES ('global', 'all', 6);"
        "INSERT INTO rank_history SELECT 'global', 'all', shard, day, now(), 2, ARRAY[shard << 10], '{1}', '{5}'"
        " FROM generate_series(0, 1) shard, unnest('{2026-11-24,2026-11-25}'::date[]) day"
    )
    await upgrade(dsn)
    told = "SELECT count(*) FROM rank_history JOIN rank_days USING (scope, period_id, taken_on, take_no)"
    assert await connection.fetchval(told) == 4
    numbers = "SELECT instance_no IS NOT NULL FROM board_periods WHERE scope = 'global' AND period_id = 'all'"
    assert await connection.fetchval(numbers)
