"""Actions with a life of their own: streaks, both sides of a referral, birthdays."""

from laurel_server.postgres.migrations.plain_sql import run_sql_of

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    run_sql_of(__file__)
