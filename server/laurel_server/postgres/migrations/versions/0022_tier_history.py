"""The history of every tier begins with its first."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    run_sql_of(__file__)
