"""The SQL of ClickHouse: one statement a file below `sql/`, each with a header that says what it does and costs."""

from functools import cache
from importlib.resources import files


@cache
def statement(name: str) -> str:
    """Return the statement in `sql/NAME.sql`, without its comments. Read once."""
    text = (files("laurel_server.analytics") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    lines = (line.partition("--")[0].rstrip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)
