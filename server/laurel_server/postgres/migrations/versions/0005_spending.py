"""Debits tied to lots, holds, and how far entries have been reversed."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_sql_of(__file__)
