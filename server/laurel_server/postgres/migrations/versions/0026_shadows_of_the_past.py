"""Shadow users on boards of the past."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    run_sql_of(__file__)
