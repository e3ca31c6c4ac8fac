"""Consumers that hear events from the outbox or from Kafka."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    run_sql_of(__file__)
