"""Rows as the arrays that `unnest` takes."""

from collections.abc import Iterable, Sequence


def columns(rows: Sequence[tuple[object, ...]], width: int) -> Iterable[Sequence[object]]:
    """Return the rows by column; `width` empty columns of no rows."""
    return zip(*rows, strict=True) if rows else ((),) * width
