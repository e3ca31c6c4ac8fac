"""Where a moment lies among all entries."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    run_sql_of(__file__)
