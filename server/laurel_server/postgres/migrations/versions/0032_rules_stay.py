"""What entries were computed from stays, like the entries themselves."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    run_sql_of(__file__)
