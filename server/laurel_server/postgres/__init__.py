"""The ledger in PostgreSQL: pool, named queries and migrations."""
