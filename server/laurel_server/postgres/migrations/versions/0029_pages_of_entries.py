"""Pages of a statement are read in the order of the index, however few entries users have."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    run_sql_of(__file__)
