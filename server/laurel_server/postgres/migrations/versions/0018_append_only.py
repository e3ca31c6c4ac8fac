"""No partition of the entries can be emptied by itself."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    run_sql_of(__file__)
