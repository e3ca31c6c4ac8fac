"""Rows as the arrays that `unnest` takes."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal


def columns(rows: Sequence[tuple[object, ...]], width: int) -> Iterable[Sequence[object]]:
    """Return the rows by column; `width` empty columns of no rows."""
    return zip(*rows, strict=True) if rows else ((),) * width


def numbers(column: Iterable[int | Decimal]) -> str:
    """Return the array literal of a column. The driver's own arrays cost five times that, element by element."""
    return f"{{{','.join(map(str, column))}}}"


def ids(column: Sequence[int]) -> str | None:
    """Return the array literal of a column in which 0 is not set, None if nothing is."""
    return (
        f"{{{','.join([str(number) if number else 'NULL' for number in column])}}}" if any(column) else None
    )


def times(column: Sequence[datetime | None]) -> str | None:
    """Return the array literal of a column, None if nothing is set in it."""
    if not any(column):
        return None
    return f"{{{','.join([moment.isoformat() if moment else 'NULL' for moment in column])}}}"
