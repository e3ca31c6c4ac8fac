"""The hash chain over the batches of the ledger."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run_sql_of(__file__)
