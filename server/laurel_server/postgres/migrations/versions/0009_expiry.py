"""Return windows, expiry at the end of a month, and warnings before points expire."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run_sql_of(__file__)
