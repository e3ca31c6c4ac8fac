"""Playing events: their order, their batches, what is sent again and what breaks it off."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import grpc
import pytest

from laurel.admin.v1.admin_service_pb2 import BatchUpsertUsersResponse, GetServerInfoResponse
from laurel.rewards.v1.rewards_service_pb2 import AwardPointsResponse, AwardResult, BatchAwardPointsResponse
from laurel.sandbox.v1.sandbox_service_pb2 import GetClockResponse, SetClockResponse
from laurel_client import Laurel, LaurelCallError, Transaction
from laurel_client.replay import Event, Replay, Tally, batches, request_id
from tests.unit.client.standin import Refusal, Standin

Code = grpc.StatusCode
NOON = datetime(2011, 3, 1, 12, tzinfo=UTC)


def event(number: int, user_id: str = "", at: datetime | None = NOON, country: str = "") -> Event:
    return Event(f"e{number}", user_id or f"u{number}", at, "10.50", country)


def done(points: int = 10, *, replayed: bool = False) -> AwardResult:
    return AwardResult(award=AwardPointsResponse(transaction=Transaction(points=points), replayed=replayed))


def failed(code: grpc.StatusCode, reason: str) -> AwardResult:
    return AwardResult(error=Refusal(code, reason).status())


def error_of(refusal: Refusal) -> LaurelCallError:
    return LaurelCallError.from_status(refusal.status())


def answer(*results: AwardResult) -> BatchAwardPointsResponse:
    return BatchAwardPointsResponse(results=results)


def sent(server: Standin) -> list[list[str]]:
    """Returns the ids of the events of each call."""
    return [
        [award.reference_id for award in request.awards] for request in server.requests["BatchAwardPoints"]
    ]


def moment_of(request: Any) -> datetime:
    moment: datetime = request.now.ToDatetime(UTC)
    return moment


def clock_at(now: datetime, *, frozen: bool) -> GetClockResponse:
    response = GetClockResponse(frozen=frozen)
    response.now.FromDatetime(now)
    return response


@pytest.fixture
def replay(laurel: Laurel) -> Replay:
    return Replay(laurel, "PURCHASE", "order_value", concurrency=1)


def test_a_batch_has_each_user_once_and_keeps_the_order() -> None:
    events = [event(number, user) for number, user in enumerate("abcabbdd")]
    made = list(batches(events, 3, distinct_users=True))
    assert [[each.user_id for each in batch] for batch in made] == [
        ["a", "b", "c"],
        ["a", "b"],
        ["b", "d"],
        ["d"],
    ]
    assert [each for batch in made for each in batch] == events


def test_a_batch_may_have_a_user_several_times() -> None:
    events = [event(number, "a") for number in range(5)]
    assert [len(batch) for batch in batches(events, 2, distinct_users=False)] == [2, 2, 1]


def test_the_request_id_is_of_the_action_and_the_event() -> None:
    assert request_id("PURCHASE", "536365") == "PURCHASE:536365"
    longest = request_id("A" * 64, "x" * 63)
    too_long = request_id("A" * 64, "x" * 128)
    assert (len(longest), len(too_long)) == (128, 64)
    assert too_long != request_id("A" * 64, "x" * 127)


async def test_an_award_says_what_the_event_says(replay: Replay, server: Standin) -> None:
    server.answer("BatchAwardPoints", answer(done(15)))
    tally = await replay.run([event(1)])
    (request,) = server.requests["BatchAwardPoints"]
    (award,) = request.awards
    assert (award.request_id, award.reference_id, award.user_id) == ("PURCHASE:e1", "e1", "u1")
    assert dict(award.attributes) == {"order_value": "10.50"}
    assert award.occurred_at.ToDatetime(UTC) == NOON
    assert (tally.awarded, tally.points, tally.played) == (1, 15, 1)


async def test_countries_are_set_before_anything_is_awarded(replay: Replay, server: Standin) -> None:
    server.answer("BatchUpsertUsers", Refusal(Code.INVALID_ARGUMENT, "INVALID_FIELD"))
    tally = await replay.run([event(1, "a", country="gb"), event(2, "b")])
    assert tally.broken_off_by is not None
    assert tally.broken_off_by.reason == "INVALID_FIELD"
    assert sent(server) == []


async def test_a_user_has_the_country_of_his_last_event(replay: Replay, server: Standin) -> None:
    server.answer("BatchUpsertUsers", BatchUpsertUsersResponse())
    server.answer("BatchAwardPoints", answer(done()))
    await replay.run([event(1, "a", country="GB"), event(2, "a", country="DE"), event(3, "a"), event(4, "b")])
    (request,) = server.requests["BatchUpsertUsers"]
    assert [(user.user_id, user.country) for user in request.users] == [("a", "DE")]


def test_outcomes_are_told_apart() -> None:
    tally = Tally()
    refused = Refusal(Code.RESOURCE_EXHAUSTED, "DAILY_CAP_REACHED")
    for outcome in (refused, refused, Refusal(Code.FAILED_PRECONDITION, "ACTION_INACTIVE")):
        tally.count(error_of(outcome))
    for outcome in (Refusal(Code.ALREADY_EXISTS, "IDEMPOTENCY_CONFLICT"), Refusal(Code.UNKNOWN)):
        tally.count(error_of(outcome))
    tally.count(done(7).award)
    tally.count(done(7, replayed=True).award)
    assert tally.refused == Counter(DAILY_CAP_REACHED=2, ACTION_INACTIVE=1)
    assert tally.failed == Counter(IDEMPOTENCY_CONFLICT=1, UNKNOWN=1)
    assert (tally.awarded, tally.replayed, tally.points, tally.played) == (1, 1, 7, 7)


async def test_only_what_may_pass_is_sent_again(replay: Replay, server: Standin) -> None:
    gone = failed(Code.UNAVAILABLE, "LEDGER_UNAVAILABLE")
    refused = failed(Code.RESOURCE_EXHAUSTED, "DAILY_CAP_REACHED")
    server.answer("BatchAwardPoints", answer(done(), gone, refused), answer(done()))
    tally = await replay.run([event(1), event(2), event(3)])
    assert sent(server) == [["e1", "e2", "e3"], ["e2"]]
    assert (tally.awarded, tally.refused.total(), tally.broken_off_by) == (2, 1, None)


async def test_a_call_that_fails_breaks_it_off(replay: Replay, server: Standin) -> None:
    replay.batch = 1
    server.answer("BatchAwardPoints", answer(done()), Refusal(Code.INTERNAL, "INTERNAL"))
    tally = await replay.run([event(1), event(2), event(3)])
    assert sent(server) == [["e1"], ["e2"]]
    assert tally.awarded == 1
    assert tally.broken_off_by is not None


async def test_stopping_ends_it_after_the_call_in_progress(replay: Replay, server: Standin) -> None:
    replay.batch = 1
    replay.progress = lambda _: replay.stop()
    server.answer("BatchAwardPoints", answer(done()))
    tally = await replay.run([event(1), event(2)])
    assert (sent(server), tally.awarded, tally.broken_off_by) == ([["e1"]], 1, None)


async def test_concurrent_calls_keep_the_order_of_each_user(replay: Replay, server: Standin) -> None:
    replay.concurrency = 4
    server.answer("BatchAwardPoints", lambda request: answer(*[done()] * len(request.awards)))
    events = [event(number, f"u{number % 7}") for number in range(70)]
    assert (await replay.run(events)).awarded == 70
    calls = [[int(event_id[1:]) for event_id in call] for call in sent(server)]
    assert any(len(call) > 1 for call in calls)
    for user in range(7):
        places = [[number for number in call if number % 7 == user] for call in calls]
        assert max(map(len, places)) == 1
        numbers = [number for place in places for number in place]
        assert all(before < after for before, after in pairwise(numbers))


@pytest.fixture
def by_time(replay: Replay, server: Standin) -> Replay:
    """A replay that moves a clock, which runs, in New York."""
    replay.advance_clock = True
    server.answer("GetClock", clock_at(datetime(2026, 1, 1, tzinfo=UTC), frozen=False))
    server.answer("SetClock", SetClockResponse())
    server.answer("GetServerInfo", GetServerInfoResponse(config={"program.time_zone": "America/New_York"}))
    server.answer("BatchAwardPoints", answer(done(), done()), answer(done()))
    return replay


async def test_a_call_stays_within_a_day_of_the_program(by_time: Replay, server: Standin) -> None:
    midnight = datetime(2011, 3, 2, 5, tzinfo=UTC)
    moments = [midnight, midnight - timedelta(hours=9), midnight - timedelta(seconds=1)]
    await by_time.run([event(number, at=moment) for number, moment in enumerate(moments)])
    assert sent(server) == [["e1", "e2"], ["e0"]]
    times = [moment_of(request) for request in server.requests["SetClock"]]
    assert times == [moments[1], moments[2], moments[0]]


async def test_a_clock_that_stands_later_is_not_set_back(by_time: Replay, server: Standin) -> None:
    server.answer_anew("GetClock", clock_at(NOON + timedelta(hours=1), frozen=True))
    server.answer_anew("BatchAwardPoints", answer(done()))
    by_time.batch = 1
    await by_time.run([event(1), event(2, at=NOON + timedelta(hours=2))])
    assert [moment_of(request) for request in server.requests["SetClock"]] == [NOON + timedelta(hours=2)]


async def test_an_event_without_a_time_cannot_move_the_clock(by_time: Replay) -> None:
    with pytest.raises(ValueError, match="e1 has no time"):
        await by_time.run([event(1, at=None)])
