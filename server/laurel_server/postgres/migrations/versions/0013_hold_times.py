"""When holds were closed."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    run_sql_of(__file__)
