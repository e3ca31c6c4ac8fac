"""The SQL of the server: one statement a file below `sql/`, each with a header that says what it does and costs."""

from functools import cache
from importlib.resources import files


@cache
def load(name: str) -> str:
    """Return the statement in `sql/NAME.sql`. Read once."""
    return (files("laurel_server.postgres") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
