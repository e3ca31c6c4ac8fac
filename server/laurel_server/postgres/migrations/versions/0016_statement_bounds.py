"""Where a moment lies among the entries of a user."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    run_sql_of(__file__)
