"""Alembic's directory: each version is a plain SQL file with a small module of the same name beside it."""
