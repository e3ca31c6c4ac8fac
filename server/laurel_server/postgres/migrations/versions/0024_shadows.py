"""Shadow users are found at once, for streams that show them where they would stand."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    run_sql_of(__file__)
