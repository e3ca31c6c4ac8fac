"""The ledger, the boards' side of it, and the rules that are seeded."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_sql_of(__file__)
