"""Boards may be split over slots."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    run_sql_of(__file__)
