"""Positions of the readers of the outbox, and events they have set aside."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_sql_of(__file__)
