"""Ranks of a day are written some at a time, and told of when all are there."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    run_sql_of(__file__)
