"""Who has taken a notification already."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    run_sql_of(__file__)
