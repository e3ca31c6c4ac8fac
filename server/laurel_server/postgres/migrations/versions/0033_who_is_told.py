"""Whom a notification is for."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    run_sql_of(__file__)
