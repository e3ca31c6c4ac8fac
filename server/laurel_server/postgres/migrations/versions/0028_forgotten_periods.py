"""Periods of boards that are gone: hidden with the board, and cleared away after it."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    run_sql_of(__file__)
