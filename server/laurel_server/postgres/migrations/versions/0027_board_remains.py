"""What is left of boards that are configured no longer."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    run_sql_of(__file__)
