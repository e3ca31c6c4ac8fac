from typing import cast

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from laurel_server.events.kafka import _BATCH_BYTES, _batches, _send
from laurel_server.events.topics import LEADERBOARD_UPDATED, Record

LONGEST = "segment:" + "\U0001f3c6" * 64 + "/2026-11-30"
"""What a record about a board may have as its key: a name of a scope has up to 64 characters."""


def record(number: int, payload: int) -> Record:
    moment = "2026-11-30T00:00:00.123456+00:00"
    return Record(LEADERBOARD_UPDATED, f"{10**15 + number}.{number}", LONGEST, moment, b"p" * payload)


def test_every_record_of_a_batch_fits_whatever_its_key() -> None:
    records = [record(number, 300) for number in range(2000)]
    batches = list(_batches(records))
    assert [each for batch in batches for each in batch] == records
    assert len(batches) > 1
    for batch in batches:
        builder = BatchBuilder(_BATCH_BYTES, 0)
        for each in batch:
            told = builder.append(timestamp=None, key=each.key, value=each.payload, headers=each.headers)
            assert told is not None, "what does not fit would not be sent"


def test_a_large_record_goes_alone() -> None:
    payloads = [1, _BATCH_BYTES, 1, 1]
    batches = _batches([record(number, payload) for number, payload in enumerate(payloads)])
    assert [[len(each.payload) for each in batch] for batch in batches] == [[1], [_BATCH_BYTES], [1, 1]]


class FullProducer:
    """Makes batches as a producer does, and sends none."""

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(_BATCH_BYTES, 0)


async def test_a_batch_that_turns_out_too_large_is_left_whole() -> None:
    batches = [[record(number, 300) for number in range(2000)], [record(2000, 1)]]
    assert await _send(cast("AIOKafkaProducer", FullProducer()), (LEADERBOARD_UPDATED, 0), batches) == batches
