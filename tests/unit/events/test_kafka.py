from typing import cast

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from laurel_server.events.batches import BATCH_BYTES, GROWS_AFTER_SECONDS, BatchSizes, batches
from laurel_server.events.kafka import Stopped, _send
from laurel_server.events.topics import LEADERBOARD_UPDATED, Record

LONGEST = "segment:" + "\U0001f3c6" * 64 + "/2026-11-30"
"""What a record about a board may have as its key: a name of a scope has up to 64 characters."""


def record(number: int, payload: int) -> Record:
    moment = "2026-11-30T00:00:00.123456+00:00"
    return Record(LEADERBOARD_UPDATED, f"{10**15 + number}.{number}", LONGEST, moment, b"p" * payload)


def test_every_record_of_a_batch_fits_whatever_its_key() -> None:
    records = [record(number, 300) for number in range(2000)]
    parts = list(batches(records, BATCH_BYTES))
    assert [each for batch in parts for each in batch] == records
    assert len(parts) > 1
    for batch in parts:
        builder = BatchBuilder(BATCH_BYTES, 0)
        for each in batch:
            told = builder.append(timestamp=None, key=each.key, value=each.payload, headers=each.headers)
            assert told is not None, "what does not fit would not be sent"


def test_a_large_record_goes_alone() -> None:
    payloads = [1, BATCH_BYTES, 1, 1]
    parts = batches([record(number, payload) for number, payload in enumerate(payloads)], BATCH_BYTES)
    assert [[len(each.payload) for each in batch] for batch in parts] == [[1], [BATCH_BYTES], [1, 1]]


class FullProducer:
    """Makes batches as a producer does, and sends none."""

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(BATCH_BYTES, 0)


async def test_a_batch_that_turns_out_too_large_is_left_whole() -> None:
    parts = [[record(number, 300) for number in range(2000)], [record(2000, 1)], [record(2001, 1)]]
    stopped = await _send(cast("AIOKafkaProducer", FullProducer()), (LEADERBOARD_UPDATED, 0), parts)
    assert stopped == Stopped(parts[0], [*parts[1], *parts[2]])


def test_batches_are_as_large_as_kafka_tells() -> None:
    sizes = BatchSizes()
    assert sizes.of(LEADERBOARD_UPDATED) == BATCH_BYTES
    sizes.tell({LEADERBOARD_UPDATED: 10_000})
    assert sizes.of(LEADERBOARD_UPDATED) == 10_000
    assert sizes.of("rewards.earned") == BATCH_BYTES
    sizes.tell({LEADERBOARD_UPDATED: 2 * BATCH_BYTES})
    assert sizes.of(LEADERBOARD_UPDATED) == BATCH_BYTES


def test_what_is_refused_is_parted_until_it_is_taken() -> None:
    sizes, records = BatchSizes(), [record(number, 500) for number in range(200)]
    refused = [len(records)]
    while refused[-1] > 1:
        first = next(batches(records, sizes.of(LEADERBOARD_UPDATED)))
        refused.append(len(first))
        sizes.refused(first)
        sizes.tell({})
    assert refused == [200, 200, 100, 50, 25, 12, 6, 3, 1]


def test_what_kafka_tells_explains_what_it_refused() -> None:
    sizes, batch = BatchSizes(), [record(number, 500) for number in range(20)]
    sizes.refused(batch)
    assert sizes.of(LEADERBOARD_UPDATED) == 10_000
    sizes.tell({LEADERBOARD_UPDATED: 20_000})
    assert sizes.of(LEADERBOARD_UPDATED) == 10_000, "so much it should have taken"
    sizes.tell({LEADERBOARD_UPDATED: 19_999})
    assert sizes.of(LEADERBOARD_UPDATED) == 19_999
    sizes.tell({LEADERBOARD_UPDATED: BATCH_BYTES})
    assert sizes.of(LEADERBOARD_UPDATED) == BATCH_BYTES, "the limit was raised"


def test_what_was_refused_once_keeps_batches_small_for_a_while_only() -> None:
    seconds = 5000.0
    sizes = BatchSizes(lambda: seconds)
    sizes.refused([record(number, 500) for number in range(20)])
    limits = []
    for _ in range(7):
        limits.append(sizes.of(LEADERBOARD_UPDATED))
        seconds += GROWS_AFTER_SECONDS - 1
        assert sizes.of(LEADERBOARD_UPDATED) == limits[-1], "not before its time"
        seconds += 1
    assert limits == [10_000, 20_000, 40_000, 80_000, 160_000, BATCH_BYTES, BATCH_BYTES]
    seconds += 1e9
    assert sizes.of(LEADERBOARD_UPDATED) == BATCH_BYTES


def test_a_limit_that_was_not_raised_costs_one_refused_batch_each_time_it_is_tried() -> None:
    seconds, limit = 0.0, 15_000
    sizes, records = BatchSizes(lambda: seconds), [record(number, 500) for number in range(200)]

    def refusals() -> int:
        found = 0
        while len(first := next(batches(records, sizes.of(LEADERBOARD_UPDATED)))) * 1000 > limit:
            sizes.refused(first)
            found += 1
        return found

    assert refusals() == 4
    for _ in range(3):
        assert refusals() == 0
        seconds += GROWS_AFTER_SECONDS
        assert refusals() == 1
        assert sizes.of(LEADERBOARD_UPDATED) >= limit / 2


def test_a_larger_batch_of_another_partition_makes_no_refusal_forgotten() -> None:
    sizes, records = BatchSizes(), [record(number, 500) for number in range(200)]
    sizes.refused(records[:20])
    sizes.refused(records)
    assert sizes.of(LEADERBOARD_UPDATED) == 10_000
