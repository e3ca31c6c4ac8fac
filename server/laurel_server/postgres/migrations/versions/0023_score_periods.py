"""Periods of score boards are closed like those of points boards."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    run_sql_of(__file__)
