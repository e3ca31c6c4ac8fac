"""Reading the outbox in order, as one named reader, whose position outlives it."""

import asyncio
from collections.abc import Sequence
from itertools import takewhile
from typing import Final, NamedTuple

import orjson

from laurel_server.metrics import EVENTS_LAG_BATCHES, EVENTS_LAG_SECONDS, EVENTS_SET_ASIDE
from laurel_server.postgres import outbox
from laurel_server.postgres.outbox import OutboxRow, Position
from laurel_server.postgres.pool import Pool

EVENTS_AT_ONCE = 1000
"""Where nothing else is said a page ends with the row that reaches this many events."""

EVENTS_A_ROW = 4
"""Rows with fewer events than this end a page by their number."""

TURN: Final = 256
"""Events that are dealt with before others get their turn of the event loop: a millisecond or some."""

UNREADABLE: Final = (KeyError, TypeError, ValueError, AttributeError)
"""What reading an event with missing or wrong fields raises."""


class OvertakenError(Exception):
    """Another leader has done more than this one is about to keep as done."""


class OutboxEvent(NamedTuple):
    """One event of a batch; `place` counts from 0 within the batch. `body` has its `type` and fields."""

    batch_no: int
    place: int
    body: dict[str, object]

    @property
    def id(self) -> str:
        """An id that stays the same however often the event is read: of the entry, or of the place in the outbox."""
        entry = self.body.get("transaction_id")
        return str(entry) if entry else f"{self.batch_no}.{self.place}"


class Page(NamedTuple):
    """Some events in order, whose boards have followed unless `ranked` is False, and where they end.

    `age` is that of the oldest, in seconds. `is_full`: there are more to be read at once.
    """

    events: Sequence[OutboxEvent]
    user_nos: frozenset[int]
    ranked: bool
    age: float
    is_full: bool
    end: Position


class OutboxReader:
    """Reads page after page, at least once each.

    `patience` (seconds): how long a row may be held back until the boards have followed it. A page ends with the row
    that reaches `events_at_once`.
    """

    def __init__(self, pool: Pool, name: str, patience: float, events_at_once: int = EVENTS_AT_ONCE) -> None:
        self._pool = pool
        self._name = name
        self._patience = patience
        self._events_at_once = events_at_once
        self._rows_at_once = events_at_once // EVENTS_A_ROW
        self._position: Position | None = None

    async def next_page(self) -> Page | None:
        """Return the events after those that are done; None: nothing new. Raises one of `errors.UNAVAILABLE`.

        Asked again before `done` it returns the same events.
        """
        if self._position is None:
            self._position = await outbox.read_position(self._pool, self._name)
        rows = await self._rows_after(self._position)
        if not rows:
            self._position = await outbox.next_window(self._pool, self._position)
            rows = await self._rows_after(self._position)
        await self._measure(rows)
        return await self._first_of(rows, self._position)

    async def page_after(self, page: Page) -> Page | None:
        """Return the events after a page that is not done yet; None: none that can be told already."""
        rows = await self._rows_after(page.end)
        if rows:
            await self._measure(rows)
        return await self._first_of(rows, page.end)

    async def done(self, page: Page) -> None:
        """Keep that the page is dealt with. OvertakenError: `start_over` then."""
        if not await outbox.move_position(self._pool, self._name, page.end):
            raise OvertakenError(f"{self._name} is further than {page.end}")
        self._position = page.end

    def may_wait(self, page: Page) -> bool:
        """Return whether a page may be held back for the sake of its ranks, to be asked for again."""
        return page.ranked and page.age < self._patience

    def start_over(self, *, leads: bool) -> None:
        """Forget the position, which another leader may have moved; it is read anew.

        `leads` False: the metrics of this server say no longer how far behind the reader is, which it does not know.
        """
        self._position = None
        if not leads:
            EVENTS_LAG_SECONDS.remove(self._name)
            EVENTS_LAG_BATCHES.remove(self._name)

    async def set_aside(self, event: OutboxEvent, error: str) -> None:
        """Put an event aside that cannot be handled, so that those behind it go on."""
        EVENTS_SET_ASIDE.labels(self._name).inc()
        text = orjson.dumps(event.body).decode()
        await outbox.set_aside(self._pool, self._name, event.batch_no, event.place, text, error)

    async def _rows_after(self, position: Position) -> list[OutboxRow]:
        return await outbox.read_page(self._pool, position, self._rows_at_once, self._events_at_once)

    def _ready(self, rows: Sequence[OutboxRow]) -> list[OutboxRow]:
        """Return the rows up to the first that waits for its boards; order forbids to skip it."""
        ready: list[OutboxRow] = []
        for row in rows:
            if not row.projected and row.age < self._patience:
                break
            ready.append(row)
        return ready

    async def _first_of(self, rows: Sequence[OutboxRow], start: Position) -> Page | None:
        ready = _alike(self._ready(rows))
        size = sum(len(row.user_nos) for row in rows)  # about as many as events
        is_full = len(ready) < len(rows) or len(rows) == self._rows_at_once or size >= self._events_at_once
        return await self._page(ready, start, is_full=is_full) if ready else None

    async def _page(self, rows: Sequence[OutboxRow], start: Position, *, is_full: bool) -> Page:
        events: list[OutboxEvent] = []
        turns = 0
        for row in rows:
            if len(events) // TURN > turns:
                turns = len(events) // TURN
                await asyncio.sleep(0)
            try:
                events += _events(row)
            except ValueError as error:
                EVENTS_SET_ASIDE.labels(self._name).inc()
                await outbox.set_aside(self._pool, self._name, row.batch_no, -1, row.events, str(error))
        return Page(
            events,
            frozenset(number for row in rows for number in row.user_nos),
            all(row.projected for row in rows),
            rows[0].age,
            is_full,
            start._replace(batch_no=rows[-1].batch_no),
        )

    async def _measure(self, rows: Sequence[OutboxRow]) -> None:
        EVENTS_LAG_SECONDS.labels(self._name).set(rows[0].age if rows else 0)
        behind = 0
        if rows:
            behind = max(len(rows), await outbox.last_batch(self._pool) - rows[0].batch_no + 1)
        EVENTS_LAG_BATCHES.labels(self._name).set(behind)


def _alike(rows: Sequence[OutboxRow]) -> Sequence[OutboxRow]:
    """Return the first rows that are all of the same kind: projected, or not."""
    return list(takewhile(lambda row: row.projected == rows[0].projected, rows))


def _events(row: OutboxRow) -> list[OutboxEvent]:
    """Return the events of a row. ValueError when it holds something else."""
    bodies = orjson.loads(row.events)
    if not isinstance(bodies, list) or not all(
        isinstance(body, dict) and isinstance(body.get("type"), str) for body in bodies
    ):
        raise ValueError("is no list of events with a type")
    return [OutboxEvent(row.batch_no, place, body) for place, body in enumerate(bodies)]
