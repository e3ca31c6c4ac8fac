"""Reading the outbox in order, without Kafka: windows, positions, patience, bounds."""

import asyncio
from datetime import timedelta
from typing import Final

import asyncpg
import pytest
from prometheus_client import REGISTRY

from laurel_server.events.outbox import OutboxReader, OvertakenError
from laurel_server.events.retention import Bounds, Retention
from laurel_server.events.sizes import Sizes
from laurel_server.postgres import outbox
from laurel_server.postgres.outbox import Trimmed
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import all_committed, give, until

_INSERT = """INSERT INTO outbox (batch_no, projected, user_nos, events)
             VALUES ($1, true, '{}', json_build_array(json_build_object('type', 'test', 'user_id', $2::text)))"""


HUGE: Final = 1 << 40
UNLOCKED = "achievements.unlocked"


async def read_all(reader: OutboxReader) -> list[str]:
    """Return the users of all events but badges that the reader is given, which it then has done."""
    users: list[str] = []
    while (page := await reader.next_page()) is not None:
        users += [str(event.body["user_id"]) for event in page.events if event.body["type"] != UNLOCKED]
        await reader.done(page)
    return users


def reader_of(parts: Parts, name: str = "test", patience: float = 0) -> OutboxReader:
    return OutboxReader(parts.pool, name, patience)


async def test_each_reader_gets_every_event_once(parts: Parts) -> None:
    for user in ("a", "b", "a"):
        await give(parts, user)
    reader = reader_of(parts)
    await all_committed(parts)
    assert await read_all(reader) == ["a", "b", "a"]
    await give(parts, "c")
    await all_committed(parts)
    assert await read_all(reader) == ["c"]
    assert await read_all(reader_of(parts)) == [], "the position outlives the reader"
    assert await read_all(reader_of(parts, "other")) == ["a", "b", "a", "c"]


async def test_a_page_that_was_not_done_comes_again(parts: Parts) -> None:
    await give(parts, "a")
    reader = reader_of(parts)
    await all_committed(parts)
    first, second = await reader.next_page(), await reader.next_page()
    assert first is not None
    assert second is not None
    assert (first.events, first.end) == (second.events, second.end)


async def test_a_smaller_batch_number_that_is_committed_later_is_not_missed(
    parts: Parts, ledger_dsn: str
) -> None:
    reader = reader_of(parts)
    slow = await asyncpg.connect(ledger_dsn)
    await slow.execute("BEGIN")
    await slow.execute(_INSERT, 1001, "slow")
    await parts.pool.execute(_INSERT, 1002, "quick")
    assert await read_all(reader) == [], "what came after a running transaction waits for it"
    await slow.execute("COMMIT")
    await slow.close()
    await all_committed(parts)
    assert await read_all(reader) == ["slow", "quick"]
    await parts.pool.execute(_INSERT, 1000, "numbered long ago")
    await all_committed(parts)
    assert await read_all(reader) == ["numbered long ago"]


async def test_an_event_waits_for_the_boards_but_not_for_ever(parts: Parts) -> None:
    await give(parts, "a")
    await parts.confirmations.flush()
    await parts.pool.execute(_INSERT, 5001, "unranked")
    await parts.pool.execute(_INSERT, 5002, "behind")
    await parts.pool.execute(
        "UPDATE outbox SET projected = false, created_at = 'infinity' WHERE batch_no = 5001"
    )
    reader = reader_of(parts, patience=5)
    await all_committed(parts)
    assert await read_all(reader) == ["a"], "order forbids to skip the one that waits"
    await parts.pool.execute("UPDATE outbox SET created_at = now() - interval '6 s' WHERE batch_no = 5001")
    page = await reader.next_page()
    assert page is not None
    assert not page.ranked
    assert [event.body["user_id"] for event in page.events] == ["unranked"]
    await reader.done(page)
    assert await read_all(reader) == ["behind"]


async def test_the_outbox_is_bounded_by_age_and_by_number(parts: Parts) -> None:
    for number in range(10):
        await give(parts, f"user-{number}")
    await parts.confirmations.flush()

    async def rows() -> int:
        count: int = await parts.pool.fetchval("SELECT count(*) FROM outbox")
        return count

    async def confirmed() -> bool:
        return not await parts.pool.fetchval("SELECT count(*) FROM outbox WHERE NOT projected")

    await until(confirmed, "all batches are on the boards")
    week = timedelta(days=7)
    assert await Retention(parts.pool, Bounds(week, 1000, HUGE)).trim() == Trimmed(0, 0)
    assert await rows() == 10
    last = await outbox.last_batch(parts.pool)
    lowest = await parts.pool.fetchval("SELECT batch_no FROM outbox ORDER BY batch_no DESC OFFSET 3 LIMIT 1")
    assert (await Retention(parts.pool, Bounds(week, last - lowest, HUGE)).trim()).removed == 7
    await parts.pool.execute("UPDATE outbox SET created_at = now() - interval '8 days'")
    assert await Retention(parts.pool, Bounds(week, 1000, HUGE)).trim() == Trimmed(2, 0)
    assert await rows() == 1, "the newest stays: repair goes by it"


_ROWS = """
INSERT INTO outbox (batch_no, projected, user_nos, events)
SELECT nextval('ledger_batch_seq'), true, ARRAY[number],
       json_build_array(json_build_object('type', 'tests', 'user_id', 'u', 'text',
                                            (SELECT string_agg(md5((number * 9999 + each)::text), '')
                                               FROM generate_series(1, $2::int) AS each)))
  FROM generate_series(1, $1::int) AS number
"""


async def fill(parts: Parts, rows: int, hashes: int) -> None:
    """Add rows to the outbox that cannot be compressed, with 32 bytes a hash."""
    await parts.pool.execute(_ROWS, rows, hashes)


async def stored(parts: Parts) -> int:
    """Return the bytes that the events alone take."""
    size: int = await parts.pool.fetchval("SELECT coalesce(sum(pg_column_size(events)), 0) FROM outbox")
    return size


@pytest.mark.parametrize("hashes", [3, 200], ids=["inline", "out of line"])
async def test_the_outbox_is_bounded_by_size(parts: Parts, hashes: int) -> None:
    await fill(parts, 6000, hashes)
    before = await stored(parts)
    bound = before // 2
    retention = Retention(parts.pool, Bounds(timedelta(days=7), 1_000_000, bound))
    assert (await retention.trim()).removed >= 2500
    assert bound * 0.3 < await stored(parts) <= bound
    assert (await retention.trim()).removed == 0, "it is small enough now"
    await fill(parts, 4000, hashes)
    newest = await outbox.last_batch(parts.pool)
    assert (await retention.trim()).removed >= 1000, "what came since was measured too"
    assert await stored(parts) <= bound
    assert await parts.pool.fetchval("SELECT max(batch_no) FROM outbox") == newest
    await retention.round()
    told, on_disk = (
        REGISTRY.get_sample_value(f"laurel_events_outbox_{name}") or 0 for name in ("bytes", "disk_bytes")
    )
    assert await stored(parts) < told <= bound
    assert on_disk >= told


async def test_what_is_measured_is_what_the_rows_take_on_disk(parts: Parts) -> None:
    await fill(parts, 5000, 3)
    await fill(parts, 1000, 200)
    await parts.pool.execute("VACUUM FULL outbox")
    sizes = Sizes(parts.pool)
    await sizes.follow()
    assert sizes.total == pytest.approx(await outbox.disk_bytes(parts.pool), rel=0.25)


async def test_unread_rows_that_are_too_large_are_lost_and_counted_but_not_those_the_boards_need(
    parts: Parts,
) -> None:
    await give(parts, "read")
    await all_committed(parts)
    await read_all(reader_of(parts))
    await parts.confirmations.flush()
    await fill(parts, 1200, 3)
    await parts.pool.execute("UPDATE outbox SET projected = false WHERE batch_no % 2 = 0")
    trimmed = await Retention(parts.pool, Bounds(timedelta(days=7), 1_000_000, 1000), ["test"]).trim()
    assert trimmed.unread >= 599
    assert await outbox.count_gaps(parts.pool, ["test"]) == 1
    assert await parts.pool.fetchval("SELECT count(*) FROM outbox WHERE NOT projected") >= 600


async def test_another_server_that_removes_rows_is_no_matter(parts: Parts) -> None:
    await fill(parts, 3000, 3)
    one, other = (Retention(parts.pool, Bounds(timedelta(days=7), 1_000_000, 300_000)) for _ in range(2))
    await asyncio.gather(one.trim(), other.trim())
    left = await parts.pool.fetchval("SELECT count(*) FROM outbox")
    assert left > 500
    assert (await one.trim(), await other.trim()) == (Trimmed(0, 0), Trimmed(0, 0))
    assert await parts.pool.fetchval("SELECT count(*) FROM outbox") == left


async def test_rows_that_go_unread_are_counted(parts: Parts) -> None:
    await give(parts, "read")
    await all_committed(parts)
    await read_all(reader_of(parts))
    await read_all(reader_of(parts, "of another time"))
    await give(parts, "unread")
    await give(parts, "newest")
    await parts.pool.execute("UPDATE outbox SET projected = true, created_at = now() - interval '8 days'")
    assert await Retention(parts.pool, Bounds(timedelta(days=7), 1000, HUGE), ["test"]).trim() == Trimmed(
        2, 1
    )
    assert await outbox.count_gaps(parts.pool, ["test"]) == 1
    assert await outbox.count_gaps(parts.pool, ["test", "of another time"]) == 2


async def test_what_a_reader_misses_that_does_not_read_now_is_no_loss_but_a_gap(parts: Parts) -> None:
    await give(parts, "read")
    await all_committed(parts)
    await read_all(reader_of(parts))
    await give(parts, "unread")
    await give(parts, "newest")
    await parts.pool.execute("UPDATE outbox SET projected = true, created_at = now() - interval '8 days'")
    assert await Retention(parts.pool, Bounds(timedelta(days=7), 1000, HUGE), ["another"]).trim() == Trimmed(
        2, 0
    )
    assert await outbox.count_gaps(parts.pool, ["test"]) == 1


async def test_sql_reads_the_events_one_by_one(parts: Parts) -> None:
    answer = await give(parts, "a", 7)
    (row,) = await parts.pool.fetch(
        "SELECT type, user_id, body ->> 'transaction_id' AS id FROM events WHERE place = 0"
    )
    assert tuple(row) == ("rewards.earned", "a", str(answer.entry.transaction_id))


async def test_who_was_overtaken_is_told_so_and_moves_nothing_back(parts: Parts) -> None:
    for user in ("a", "b", "c"):
        await give(parts, user)
    slow, quick = reader_of(parts), reader_of(parts)
    await all_committed(parts)
    page = await slow.next_page()
    assert page is not None
    first = page._replace(end=page.end._replace(batch_no=page.events[0].batch_no))
    assert await read_all(quick) == ["a", "b", "c"]
    with pytest.raises(OvertakenError):
        await slow.done(first)
    slow.start_over(leads=True)
    assert await read_all(slow) == []
    assert await read_all(reader_of(parts)) == []
