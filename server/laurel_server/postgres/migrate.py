"""Brings a database to the newest schema; safe to run from several places at once."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, NullPool
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from laurel_server.postgres import schema
from laurel_server.postgres.connection import open_connection
from laurel_server.postgres.schema import MigrationError

# One key for all programs that migrate; the number has no meaning.
_LOCK_KEY = 7_281_934_406
# A statement that cannot get its lock stops everything queued behind it, so it gives up soon and harms
# nobody.
_LIMITS = "SET lock_timeout = '4s'; SET statement_timeout = '60s'"


@dataclass(frozen=True, slots=True)
class Migrated:
    """From which version to which a database was brought; equal when there was nothing to do."""

    before: str | None
    after: str


async def upgrade(dsn: str, migrations: Path = schema.MIGRATIONS, wait_seconds: float = 120) -> Migrated:
    """Runs the versions that the database lacks, each in its own transaction.

    Another migration that runs at the same time is waited for, `wait_seconds` at most. Raises MigrationError
    if it takes longer, if a statement fails, if the database is newer than this program, or if it cannot be
    reached.
    """
    # The factory takes any DSN that asyncpg takes; SQLAlchemy's own form of URL would need translating.
    connect = partial(open_connection, dsn, application_name="laurel-migrate")
    engine = create_async_engine("postgresql+asyncpg://", poolclass=NullPool, async_creator=connect)
    with schema.unreachable_as_schema_error():
        async with engine.connect() as connection:
            return await _upgrade(connection, migrations, wait_seconds)


async def _upgrade(connection: AsyncConnection, migrations: Path, wait_seconds: float) -> Migrated:
    driver = cast("asyncpg.Connection", (await connection.get_raw_connection()).driver_connection)
    await _take_lock(driver, wait_seconds)
    await driver.execute(_LIMITS)
    before, head = await schema.current(driver), schema.head(migrations)
    if (before or "") > head:
        raise MigrationError(f"the schema is at {before}, newer than this program, which ends at {head}")
    if before != head:
        await _run(connection, migrations)
    return Migrated(before, head)


async def _take_lock(driver: asyncpg.Connection, wait_seconds: float) -> None:
    """Takes a lock of the session: it ends with the connection, however this process ends."""
    try:
        await driver.execute("SELECT pg_advisory_lock($1)", _LOCK_KEY, timeout=wait_seconds)
    except TimeoutError:
        raise MigrationError(
            f"another migration has been running for {wait_seconds:g} s; see pg_locks"
        ) from None


async def _run(connection: AsyncConnection, migrations: Path) -> None:
    def run(sync_connection: Connection) -> None:
        config = Config(attributes={"connection": sync_connection})
        config.set_main_option("script_location", str(migrations).replace("%", "%%"))
        command.upgrade(config, "head")

    try:
        await connection.run_sync(run)
    except (asyncpg.PostgresError, DBAPIError, CommandError) as error:
        raise MigrationError(_explain(error)) from error


def _explain(error: Exception) -> str:
    if isinstance(error, asyncpg.LockNotAvailableError):
        return "a table stayed locked for 4 s; try again when long transactions have ended"
    return str(error)
