"""Where everybody stood at the end of each day."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run_sql_of(__file__)
