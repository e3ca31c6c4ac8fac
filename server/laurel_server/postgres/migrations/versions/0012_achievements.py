"""Achievements in the order in which they are told, and changes of tier with their causes."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    run_sql_of(__file__)
