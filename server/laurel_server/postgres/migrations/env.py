"""Alembic's entry point: runs the versions on the connection that postgres/migrate.py hands over."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=None,  # the SQL files are the truth; nothing is compared or generated
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
