"""The outbox as readers see it: pages of committed batches in order, positions, and what was set aside."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

import orjson

from laurel_server.postgres.pool import Connection, Pool
from laurel_server.postgres.sql import load


class Position(NamedTuple):
    """How far a reader has come: a window of transaction ids, and the last batch in it that is done."""

    from_xid: int = 0
    until_xid: int = 0
    batch_no: int = 0


class OutboxRow(NamedTuple):
    """A committed batch; `events` is a JSON array, `age` in seconds. `projected`: the boards have followed."""

    batch_no: int
    projected: bool
    age: float
    user_nos: Sequence[int]
    events: str


class Part(NamedTuple):
    """Neighbouring rows: the last batch, how many they are, and what they take in bytes."""

    last_batch: int
    rows: int
    size: int


class Trimmed(NamedTuple):
    """Rows that were removed, and how many of them some reader had not read."""

    removed: int
    unread: int


async def read_position(pool: Pool, reader: str) -> Position:
    """Return how far a reader has come; the beginning before its first page."""
    row = await pool.fetchrow(load("events_position"), reader)
    return Position() if row is None else Position(*row)


async def move_position(pool: Pool, reader: str, position: Position) -> bool:
    """Keep how far a reader has come; False: it has come further already."""
    return await pool.fetchval(load("events_move_position"), reader, *position) is not None


async def next_window(pool: Pool, position: Position) -> Position:
    """Return the start of the window after the one that is done; one without rows has no width."""
    ((until_xid, batch_no),) = await pool.fetch(load("events_next_window"), position.until_xid)
    if batch_no is None:
        return Position(position.until_xid, position.until_xid)
    return Position(position.until_xid, until_xid, batch_no)


async def read_page(pool: Pool, position: Position, limit: int, events: int) -> list[OutboxRow]:
    """Return the next rows of a window in order, at most `limit`, up to the one that reaches about so many `events`."""
    if position.from_xid == position.until_xid:
        return []
    rows = await pool.fetch(
        load("events_read_page"), position.batch_no, position.from_xid, position.until_xid, limit, events
    )
    return [OutboxRow(*row) for row in rows]


async def last_batch(pool: Pool) -> int:
    """Return the last batch number that was drawn."""
    number: int = await pool.fetchval(load("outbox_last"))
    return number


async def announce(connection: Connection, events: Sequence[Mapping[str, object]]) -> None:
    """Put events into the outbox that belong to no batch of the ledger, in the transaction of what they tell of."""
    if events:
        await connection.execute(load("outbox_announce"), orjson.dumps(events).decode())


async def set_aside(
    pool: Pool, reader: str, number: int, place: int, event: str, error: str, origin: str = "outbox"
) -> None:
    """Put an event aside that a reader cannot handle.

    `origin`: the outbox, with the batch as `number` and the place in it, -1 for the whole row; or `TOPIC/PARTITION`
    of Kafka, with the offset as `number`.
    """
    await pool.execute(load("events_set_aside"), reader, origin, number, place, event, error)


async def trim(
    pool: Pool, age: timedelta, batches: int, through: int, at_once: int, readers: Collection[str]
) -> Trimmed:
    """Remove rows above an age, beyond a number, or up to the batch `through`, oldest first, at most `at_once`.

    What a reader had not read is a gap for it; `readers` are those for whom that is a loss.
    """
    (row,) = await pool.fetch(load("events_trim"), age, batches, at_once, list(readers), through)
    return Trimmed(*row)


async def measure(pool: Pool, after: int, limit: int, rows_of_a_part: int) -> list[Part]:
    """Return the sizes of up to `limit` rows after a batch, in order, some rows together."""
    rows = await pool.fetch(load("events_measure"), after, limit, rows_of_a_part)
    return [Part(*row) for row in rows]


async def first_batch(pool: Pool) -> int | None:
    """Return the oldest batch that is in the outbox, None if it is empty."""
    number: int | None = await pool.fetchval(load("outbox_first"))
    return number


async def disk_bytes(pool: Pool) -> int:
    """Return what the files of the outbox take."""
    size: int = await pool.fetchval(load("outbox_disk_bytes"))
    return size


async def note_gap(pool: Pool, reader: str) -> None:
    """Note that events were dropped before a reader had heard them."""
    await pool.execute(load("events_note_gap"), reader)


async def count_gaps(pool: Pool, readers: Collection[str]) -> int:
    """Return how often those readers have missed events; it only grows."""
    gaps: int = await pool.fetchval(load("events_count_gaps"), list(readers))
    return gaps


async def has_unread(pool: Pool, reader: str, until: int) -> bool:
    """Return whether there are committed events, of batches up to a number, that a reader has not done."""
    unread: bool = await pool.fetchval(load("events_unread"), reader, until)
    return unread
