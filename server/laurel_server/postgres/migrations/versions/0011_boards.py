"""Boards as data, and score boards."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    run_sql_of(__file__)
