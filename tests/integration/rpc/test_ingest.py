"""IngestAwards: a stream of awards in, an answer for each out."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeAlias, cast

import grpc
import pytest

from laurel.rewards.v1.rewards_service_pb2 import (
    AwardPointsRequest,
    AwardResult,
    IngestAwardsRequest,
    IngestAwardsResponse,
)
from laurel_server.domain.awards import AwardAnswer, AwardCommand
from laurel_server.domain.errors import LaurelError, Reason, user_not_found
from laurel_server.rpc.interceptors.admission import AdmissionLimits
from tests.integration.rpc.harness import Served, read_status, refused, serving
from tests.integration.rpc.stand_in_rewards import sample_award
from tests.integration.wired import until

METHOD = "/laurel.rewards.v1.RewardsService/IngestAwards"
Stream: TypeAlias = "grpc.aio.StreamStreamCall[IngestAwardsRequest, IngestAwardsResponse]"


def message(number: int) -> IngestAwardsRequest:
    return IngestAwardsRequest(
        award=AwardPointsRequest(request_id=f"r-{number}", user_id=f"u{number}", action="REVIEW")
    )


def open_stream(served: Served, timeout: float | None = None) -> Stream:
    return served.rewards.IngestAwards(timeout=timeout)


async def send(stream: Stream, messages: Iterable[IngestAwardsRequest]) -> None:
    for each in messages:
        await stream.write(each)


async def receive(stream: Stream, count: int) -> list[AwardResult]:
    return [cast("IngestAwardsResponse", await stream.read()).result for _ in range(count)]


async def ingest(served: Served, messages: Iterable[IngestAwardsRequest]) -> dict[int, AwardResult]:
    async def requests() -> AsyncIterator[IngestAwardsRequest]:
        for each in messages:
            yield each

    results = [response.result async for response in served.rewards.IngestAwards(requests())]
    by_index = {result.index: result for result in results}
    assert len(by_index) == len(results)
    return by_index


class Gate:
    """Lets awards through when it is opened."""

    def __init__(self) -> None:
        self.reached, self.open = asyncio.Event(), asyncio.Event()

    async def __call__(self, command: AwardCommand, deadline: float | None) -> AwardAnswer:
        self.reached.set()
        await self.open.wait()
        return await sample_award(command, deadline)


async def test_every_award_is_answered_with_its_position(served: Served) -> None:
    results = await ingest(served, map(message, range(500)))
    assert {index: result.award.transaction.request_id for index, result in results.items()} == {
        number: f"r-{number}" for number in range(500)
    }


async def test_an_empty_stream_ends(served: Served) -> None:
    assert await ingest(served, []) == {}


async def test_each_award_is_answered_while_the_stream_goes_on(served: Served) -> None:
    stream = open_stream(served)
    for number in range(3):
        await send(stream, [message(number)])
        (result,) = await receive(stream, 1)
        assert (result.index, result.award.transaction.user_id) == (number, f"u{number}")
    await stream.done_writing()
    assert await stream.read() is grpc.aio.EOF


async def test_a_malformed_or_refused_award_hurts_no_other(served: Served) -> None:
    async def make(command: AwardCommand, deadline: float | None) -> AwardAnswer:
        if command.user_id == "u3":
            raise user_not_found("u3")
        if command.user_id == "u4":
            raise RuntimeError("a secret")
        return await sample_award(command, deadline)

    served.awards.make = make
    malformed = IngestAwardsRequest(award=AwardPointsRequest(request_id="r", user_id="no id", action="A"))
    results = await ingest(
        served, [message(0), malformed, IngestAwardsRequest(), message(3), message(4), message(5)]
    )
    assert [index for index, result in sorted(results.items()) if result.HasField("award")] == [0, 5]
    refusals = {
        index: read_status(result.error) for index, result in results.items() if index in {1, 2, 3, 4}
    }
    reasons = {index: refusal.info.reason for index, refusal in refusals.items() if refusal.info}
    assert reasons == {1: "INVALID_FIELD", 2: "INVALID_FIELD", 3: "USER_NOT_FOUND", 4: "INTERNAL"}
    assert refusals[1].fields.keys() == {"user_id"}
    assert refusals[2].fields.keys() == {"award"}
    assert "secret" not in str(refusals[4].status)


async def test_bytes_that_are_no_award_are_refused_alone(served: Served) -> None:
    stream: grpc.aio.StreamStreamCall[bytes, bytes] = served.channel.stream_stream(METHOD)()
    await stream.write(b"\xff\xff")
    await stream.write(message(1).SerializeToString())
    await stream.done_writing()
    results = [IngestAwardsResponse.FromString(raw).result async for raw in stream]
    by_index = {result.index: result for result in results}
    info = read_status(by_index[0].error).info
    assert info is not None
    assert info.reason == "INVALID_FIELD"
    assert by_index[1].award.transaction.user_id == "u1"


async def test_awards_in_flight_are_bounded() -> None:
    async with serving(Served(max_in_flight=10)) as served:
        served.awards.make = gate = Gate()
        stream = open_stream(served)
        await send(stream, map(message, range(30)))
        waiting = asyncio.ensure_future(receive(stream, 30))
        await gate.reached.wait()
        assert served.ingest.in_flight <= 10
        gate.open.set()
        assert {result.index for result in await waiting} == set(range(30))
        stream.cancel()


async def test_a_full_queue_is_waited_for(served: Served) -> None:
    refusals = iter([True, True])

    async def make(
        commands: list[AwardCommand | LaurelError], deadline: float | None
    ) -> list[AwardAnswer | Exception]:
        if next(refusals, False):
            raise LaurelError(Reason.OVERLOADED, "full")
        return [await sample_award(command, deadline) for command in commands]  # type: ignore[arg-type]

    served.awards.award_batch = make  # type: ignore[assignment, method-assign]
    (result,) = (await ingest(served, [message(0)])).values()
    assert result.HasField("award")


async def test_a_ledger_that_is_away_is_told_of_each_award(served: Served) -> None:
    async def make(_commands: object, _deadline: object) -> list[AwardAnswer | Exception]:
        raise LaurelError(Reason.LEDGER_UNAVAILABLE, "away")

    served.awards.award_batch = make  # type: ignore[assignment, method-assign]
    results = await ingest(served, [message(0), message(1)])
    infos = [read_status(result.error).info for result in results.values()]
    assert [info.reason for info in infos if info] == ["LEDGER_UNAVAILABLE"] * 2


async def test_draining_answers_what_was_read_and_ends_the_stream(served: Served) -> None:
    served.awards.make = gate = Gate()
    stream = open_stream(served)
    await send(stream, [message(0), message(1)])
    await gate.reached.wait()
    served.admission.drain()
    served.ingest.drain()
    gate.open.set()
    answered = {result.index for result in await receive(stream, 1)}
    with refused(Reason.DRAINING):
        for _ in range(2):
            answered |= {result.index for result in await receive(stream, 1)}
    assert 0 in answered
    assert answered <= {0, 1}
    with refused(Reason.DRAINING):
        await receive(open_stream(served), 1)


async def test_streams_have_their_limit() -> None:
    async with serving(Served(limits=AdmissionLimits(streams=0))) as served:
        with refused(Reason.OVERLOADED):
            await receive(open_stream(served), 1)  # a message under way meanwhile may fail first, as INTERNAL


async def test_the_deadline_of_the_stream_is_that_of_its_awards(served: Served) -> None:
    stream = open_stream(served, timeout=30)
    await send(stream, [message(0)])
    await receive(stream, 1)
    stream.cancel()
    assert served.awards.deadlines[0] is not None


async def test_a_client_that_hangs_up_ends_its_stream(served: Served) -> None:
    served.awards.make = gate = Gate()
    stream = open_stream(served)
    await send(stream, [message(0)])
    await gate.reached.wait()
    assert served.ingest.streams == 1
    stream.cancel()

    async def has_ended() -> bool:
        return not served.ingest.streams

    await until(has_ended, "the stream ends")


@pytest.mark.parametrize("count", [2000])
async def test_a_client_may_pour_in_more_than_fits(count: int) -> None:
    async with serving(Served(max_in_flight=16)) as served:
        results = await ingest(served, map(message, range(count)))
        assert results.keys() == set(range(count))
