"""Badges: what they take, and who holds them."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_sql_of(__file__)
