"""Which version of the schema a database has, and whether this program can work on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import asyncpg

from laurel_server.postgres.connection import open_connection

MIGRATIONS: Final = Path(__file__).parent / "migrations"


class SchemaError(Exception):
    """Something about the schema that the operator has to put right."""


class UnreachableError(SchemaError):
    """The database does not answer now, or does not accept the login."""


class SchemaMismatchError(SchemaError):
    """The database's schema is not the one that this program was written for."""


class MigrationError(SchemaError):
    """The schema could not be brought to the newest version; versions before the failed one are in, whole."""


@contextmanager
def unreachable_as_schema_error() -> Iterator[None]:
    """Tell of a database that cannot be connected to in words that quote no password."""
    try:
        yield
    except OSError as error:
        raise UnreachableError(f"the database does not answer: {error}") from error
    except ValueError:
        raise SchemaError("the DSN is not the address of a PostgreSQL") from None


def head(migrations: Path = MIGRATIONS) -> str:
    """Returns the newest version that this program brings; versions are numbered 0001, 0002 and so on."""
    return max(file.name.partition("_")[0] for file in (migrations / "versions").glob("[0-9]*.py"))


async def current(connection: asyncpg.Connection) -> str | None:
    """Returns the version that the database is at, or None if it was never migrated."""
    if await connection.fetchval("SELECT to_regclass('alembic_version') IS NULL"):
        return None
    version: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    return version


async def current_of(dsn: str) -> str | None:
    """Return the version of the database at an address. UnreachableError; SchemaError if it is no address."""
    with unreachable_as_schema_error():
        connection = await open_connection(dsn)
    try:
        return await current(connection)
    finally:
        await connection.close()


async def require_current(connection: asyncpg.Connection) -> None:
    """Raises SchemaMismatchError if the schema is behind this program; a newer schema is served.

    Versions are made so that the program before them still works, or no release could be taken back.
    """
    require(await current(connection))


def require(found: str | None) -> None:
    """Raise SchemaMismatchError if a version is behind this program."""
    if (found or "") < head():
        raise SchemaMismatchError(
            f"the schema is at {found or 'nothing'} and this program needs {head()}: run `laurel migrate`"
        )
