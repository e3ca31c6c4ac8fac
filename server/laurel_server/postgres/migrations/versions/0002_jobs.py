"""Runs of jobs."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_sql_of(__file__)
