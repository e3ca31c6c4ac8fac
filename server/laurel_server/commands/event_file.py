"""Events out of a CSV file with a header line."""

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from laurel_client.replay import Event
from laurel_server.commands.refunds import Refunds


class EventFileError(Exception):
    """The file does not hold what it should; the message says where."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the columns; an empty name means that the file has no such column."""

    event_id: str
    user_id: str
    occurred_at: str
    amount: str
    country: str
    kind: str


class EventFile(NamedTuple):
    """The events in the order of the file, and how many of its rows are none: of other kinds, or nothing to refund."""

    events: list[Event]
    skipped: int


class _Row(NamedTuple):
    line: int
    cells: dict[str, str | None]

    def cell(self, column: str) -> str:
        """Return what the row has in `column`; empty where it has nothing or the file no such column."""
        return (self.cells.get(column) or "").strip()


def read_events(file: Path, columns: Columns, kind: str, cancel_kind: str = "") -> EventFile:
    """Return the rows of `kind`, or all rows where no column tells the kind. Raises EventFileError.

    Rows of `cancel_kind` (empty: none) become refunds of what the user bought before. Without a column of ids, an
    event is known by what it says and how many of the same come before it.
    """
    rows = _read_rows(file, columns)
    kinds = {kind, cancel_kind} - {""}
    played = [row for row in rows if not columns.kind or row.cell(columns.kind) in kinds]
    events = [_event(row, columns) for row in played]
    if columns.event_id:
        _check_ids(played, columns.event_id)
    else:
        events = list(_with_ids(events))
    cancels = [bool(columns.kind) and row.cell(columns.kind) != kind for row in played]
    return _with_refunds(zip(events, cancels, strict=True), len(rows) - len(played))


def _with_refunds(events: Iterable[tuple[Event, bool]], skipped: int) -> EventFile:
    """Put refunds in the place of cancellations."""
    refunds = Refunds()
    played: list[Event] = []
    for event, cancels in events:
        if not cancels:
            refunds.note(event)
            played.append(event)
            continue
        found = list(refunds.of(event))
        played += found
        skipped += not found
    return EventFile(played, skipped)


def _read_rows(file: Path, columns: Columns) -> list[_Row]:
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines)
            header = reader.fieldnames or ()
            for name in astuple(columns):
                if name and name not in header:
                    raise EventFileError(f"has no column {name!r}; it has {', '.join(header) or 'none'}")
            return [_Row(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise EventFileError(f"cannot be read: {error}") from error


def _event(row: _Row, columns: Columns) -> Event:
    moment, amount = row.cell(columns.occurred_at), row.cell(columns.amount)
    try:
        return Event(
            event_id=row.cell(columns.event_id),
            user_id=row.cell(columns.user_id),
            occurred_at=_moment(moment) if columns.occurred_at else None,
            amount=_number(amount) if columns.amount else "",
            country=row.cell(columns.country),
        )
    except InvalidOperation:
        raise EventFileError(f"line {row.line}: {amount!r} is no number") from None
    except ValueError:
        raise EventFileError(f"line {row.line}: {moment!r} is no time such as 2011-12-09T12:50:00Z") from None


def _number(text: str) -> str:
    number = Decimal(text)
    if not number.is_finite():
        raise InvalidOperation
    return str(number)


def _moment(text: str) -> datetime:
    """Return the moment, which is in UTC where it names no offset."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _check_ids(rows: Iterable[_Row], column: str) -> None:
    """Refuse ids that come twice: the second would count as the first sent again."""
    lines: dict[str, int] = {}
    for row in rows:
        event_id = row.cell(column)
        if not event_id:
            raise EventFileError(f"line {row.line} has no {column}")
        if event_id in lines:
            raise EventFileError(f"lines {lines[event_id]} and {row.line} have the same {column}, {event_id}")
        lines[event_id] = row.line


def _with_ids(events: Iterable[Event]) -> Iterable[Event]:
    repetitions: Counter[Event] = Counter()
    for event in events:
        said = f"{event.user_id}\0{event.occurred_at}\0{event.amount}\0{repetitions[event]}"
        repetitions[event] += 1
        yield replace(event, event_id=blake2b(said.encode(), digest_size=16).hexdigest())
