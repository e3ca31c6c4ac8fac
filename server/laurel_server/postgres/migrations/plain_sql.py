"""Runs the SQL file of a version."""

from pathlib import Path
from typing import Any, cast

from alembic import op
from sqlalchemy.util import await_only


def run_sql_of(version_module: str) -> None:
    """Runs the `.sql` file beside a version's module (its `__file__`) in the transaction of the migration.

    The file may hold many statements, so it goes to asyncpg as one script; SQLAlchemy would prepare it as a
    single one.
    """
    script = Path(version_module).with_suffix(".sql").read_text("utf-8")
    connection = op.get_bind()
    connection.exec_driver_sql(
        "SELECT 1"
    )  # SQLAlchemy's driver opens the transaction at its own first statement
    driver = cast("Any", connection.connection.driver_connection)
    await_only(driver.execute(script))
