"""${message}."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    run_sql_of(__file__)
