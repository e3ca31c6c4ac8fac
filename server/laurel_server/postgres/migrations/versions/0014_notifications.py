"""What users are to be told, and what they want to be told."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    run_sql_of(__file__)
