"""People: erasure, lists, and what operators did to them."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql_of(__file__)
