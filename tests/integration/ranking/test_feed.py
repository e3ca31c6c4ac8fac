"""WatchAchievements over a real server in this process: what is told, in which order, and from where on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import grpc
import pytest

from laurel.ranking.v1.ranking_service_pb2 import WatchAchievementsRequest, WatchAchievementsResponse
from laurel.ranking.v1.ranking_service_pb2_grpc import RankingServiceStub
from laurel_server.leaderboards.live.watch import Ending, Heartbeat
from laurel_server.postgres.achievements import END, Position, Told, read_after
from laurel_server.postgres.pool import Pool
from laurel_server.ranking.feed import AchievementFeed
from laurel_server.rpc import methods
from laurel_server.rpc.health import Health
from laurel_server.rpc.interceptors.admission import Admission
from laurel_server.rpc.interceptors.chain import standard_chain
from laurel_server.rpc.interceptors.deadline import DeadlineBounds
from laurel_server.rpc.server import ServerOptions, Servicer, build_server, listen
from laurel_server.rpc.streams.tokens import ResumeTokens
from laurel_server.rpc.watch_achievements import WatchAchievementsServicer
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import START, give, running

SECONDS = 60


class Stream:
    """A stream that is read."""

    def __init__(self, channel: grpc.aio.Channel, user_id: str, token: str) -> None:
        request = WatchAchievementsRequest(user_id=user_id, resume_token=token)
        self._call = RankingServiceStub(channel).WatchAchievements(request)
        self.token = token
        self.sequences: list[int] = []

    async def next(self) -> WatchAchievementsResponse:
        """Return the next message."""
        message = await asyncio.wait_for(self._call.read(), SECONDS)
        assert isinstance(message, WatchAchievementsResponse), await self._call.code()
        self.token = message.resume_token
        self.sequences.append(message.sequence)
        return message

    async def greeting(self) -> None:
        """Read the first message, which is a heartbeat with a token."""
        message = await self.next()
        assert message.WhichOneof("event") == "heartbeat"
        assert message.resume_token

    async def tell(self, count: int) -> list[str]:
        """Return the next `count` things that happened in short, without heartbeats."""
        told: list[str] = []
        while len(told) < count:
            message = await self.next()
            if message.HasField("badge"):
                told.append(f"{message.badge.user_id} {message.badge.badge_type} {message.badge.level}")
            elif message.HasField("tier_change"):
                change = message.tier_change
                told.append(f"{change.user_id} tier {change.from_tier} {change.to_tier}")
            elif message.HasField("milestone"):
                told.append(f"{message.milestone.user_id} {message.milestone.kind} {message.milestone.value}")
            else:
                assert message.HasField("heartbeat")
        return told

    def cancel(self) -> None:
        """Leave."""
        self._call.cancel()


class Client:
    """Opens streams."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    def watch(self, user_id: str = "", token: str = "") -> Stream:
        """Open a stream."""
        return Stream(self._channel, user_id, token)


class Others:
    """The other methods of the service, which nobody calls here."""

    service = methods.RANKING

    def __init__(self) -> None:
        for method in methods.methods_of(self.service):
            if method.name != "WatchAchievements":
                setattr(self, method.name, None)


@asynccontextmanager
async def serving(parts: Parts) -> AsyncIterator[Client]:
    servicers: list[Servicer] = [WatchAchievementsServicer(parts.hub, parts.feed), Others()]
    server = await build_server(
        servicers, standard_chain(Admission(), DeadlineBounds()), ServerOptions(), Health()
    )
    port = listen(server, "127.0.0.1", 0)
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield Client(channel)
    finally:
        await server.stop(0)


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[Client]:
    async with serving(parts) as client:
        yield client


async def test_a_stream_begins_now_and_tells_each_thing_once(parts: Parts, client: Client) -> None:
    await give(parts, "ann", 6_000)
    stream = client.watch()
    await stream.greeting()

    await give(parts, "ann", 4_500)
    await give(parts, "bob", 10)

    told = await stream.tell(4)
    assert sorted(told[:3]) == ["ann POINTS 10000", "ann POINTS_10K 1", "ann tier 2 3"]
    assert told[3] == "bob EARLY_ADOPTER 1"
    assert stream.sequences == list(range(1, len(stream.sequences) + 1))


async def test_one_user_hears_of_himself_alone_and_may_be_unknown_at_first(
    parts: Parts, client: Client
) -> None:
    stream = client.watch("ann")
    await stream.greeting()
    await give(parts, "bob", 1_000)
    await give(parts, "ann", 10)
    assert await stream.tell(1) == ["ann EARLY_ADOPTER 1"]


async def test_a_token_goes_on_after_a_restart_without_gap_or_repetition(
    parts: Parts, client: Client, ledger_dsn: str, redis_url: str
) -> None:
    stream = client.watch()
    await stream.greeting()
    await give(parts, "ann", 1_500)
    first = await stream.tell(2)
    stream.cancel()
    await give(parts, "bob", 1_000)

    async with running(ledger_dsn, redis_url) as later, serving(later) as client_of_later:
        again = client_of_later.watch(token=stream.token)
        told = first + await again.tell(5)
        await give(later, "cleo", 10)
        told += await again.tell(1)

    assert sorted(told[:4]) == [
        "ann EARLY_ADOPTER 1",
        "ann POINTS 1000",
        "ann POINTS_1K 1",
        "ann POINTS_1_5K 1",
    ]
    assert sorted(told[4:7]) == ["bob EARLY_ADOPTER 1", "bob POINTS 1000", "bob POINTS_1K 1"]
    assert told[7] == "cleo EARLY_ADOPTER 1"
    assert again.sequences[0] == stream.sequences[-1] + 1


async def test_what_commits_late_is_told_after_all(parts: Parts, client: Client, ledger_dsn: str) -> None:
    stream = client.watch()
    await stream.greeting()
    slow = await asyncpg.connect(ledger_dsn)
    running_transaction = slow.transaction()
    await running_transaction.start()
    await slow.execute(
        "INSERT INTO achievements (user_no, kind, facts) VALUES (1, 1, $1)",
        f'{{"badge_type": "LATE", "level": 1, "at": "{START.isoformat()}", "expires_at": null}}',
    )
    await give(parts, "ann", 10)  # has a later place than what is not committed yet
    await running_transaction.commit()
    await slow.close()
    assert await stream.tell(2) == ["ann LATE 1", "ann EARLY_ADOPTER 1"]


async def test_a_reader_who_lags_behind_misses_nothing(
    parts: Parts, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("laurel_server.ranking.feed.PAGE", 3)
    stream = client.watch()
    await stream.greeting()
    users = [f"user:{number}" for number in range(10)]
    for user_id in users:
        await give(parts, user_id, 10)
    assert await stream.tell(10) == [f"{user_id} EARLY_ADOPTER 1" for user_id in users]


async def test_a_heartbeat_while_others_catch_up_passes_over_nothing(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = AchievementFeed(parts.pool, parts.hub, 1)
    prompt = await feed.watch("", None)
    assert isinstance(await anext(prompt), Heartbeat)
    await feed.read()
    others = [await feed.watch("", Position(1, 0)) for _ in range(20)]
    await give(parts, "ann", 10)
    events: list[Told | Heartbeat | Ending] = []

    async def reading(pool: Pool, after: Position, until: Position, user_id: str, limit: int) -> list[Told]:
        if until != END:  # for one of the others
            prompt.beat()
            events.append(await anext(prompt))
        return await read_after(pool, after, until, user_id, limit)

    monkeypatch.setattr("laurel_server.ranking.feed.read_after", reading)
    await feed.read()

    assert len(events) == len(others)
    assert [event.user_id for event in events if isinstance(event, Told)] == ["ann"]
    for watch in (prompt, *others):
        parts.hub.close(watch)


async def test_a_milestone_is_told_once_however_often_it_is_passed(parts: Parts, client: Client) -> None:
    stream = client.watch("ann")
    await stream.greeting()
    await give(parts, "ann", 1_000)
    await parts.pool.execute("UPDATE user_rewards SET lifetime_points = 0")  # as after a reversal
    await give(parts, "ann", 1_000)
    await give(parts, "ann", 1_500)
    told = await stream.tell(5)
    assert sorted(told[:3]) == ["ann EARLY_ADOPTER 1", "ann POINTS 1000", "ann POINTS_1K 1"]
    assert sorted(told[3:]) == ["ann POINTS 2500", "ann POINTS_1_5K 1"]


async def test_ranks_are_told_by_the_job_when_they_are_better_than_ever(parts: Parts, client: Client) -> None:
    for number in range(1, 5):
        await give(parts, f"user:{number}", 100 - number)
    stream = client.watch()
    await stream.greeting()

    await parts.badges.award_by_standing(lambda _: None)
    await give(parts, "user:4", 50)
    await parts.badges.award_by_standing(lambda _: None)
    await parts.badges.award_by_standing(lambda _: None)
    await give(parts, "zoe", 1)

    told: list[str] = []
    while "zoe EARLY_ADOPTER 1" not in told:
        told += await stream.tell(1)
    ranks = [each for each in told if " RANK " in each]
    assert ranks == ["user:4 RANK 10", "user:2 RANK 3", "user:3 RANK 3", "user:1 RANK 1", "user:4 RANK 1"]


async def test_a_token_of_another_watch_is_refused(client: Client) -> None:
    stream = client.watch("ann")
    await stream.greeting()
    other = client.watch("bob", stream.token)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await other.next()
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("told", [b"short", b"\0" * 8 + b"\xff" * 8, b"\xff" * 16])
async def test_a_token_that_was_made_up_is_refused_and_silences_nobody(
    parts: Parts, client: Client, told: bytes
) -> None:
    stream = client.watch()
    await stream.greeting()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.watch(token=ResumeTokens("WatchAchievements", "").issue(1, told)).next()
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    await give(parts, "ann", 10)
    assert await stream.tell(1) == ["ann EARLY_ADOPTER 1"]


async def test_draining_ends_the_stream_with_a_reason(parts: Parts, client: Client) -> None:
    stream = client.watch()
    await stream.greeting()
    drained = asyncio.create_task(parts.hub.drain(10))
    message = await stream.next()
    assert (message.end.reason, message.end.resume_token) == ("DRAINING", message.resume_token)
    await drained
    assert parts.hub.streams == 0


async def test_every_change_of_tier_is_recorded_with_its_cause(parts: Parts) -> None:
    answer = await give(parts, "ann", 12_000)
    rows = await parts.pool.fetch(
        "SELECT from_tier, to_tier, cause, transaction_id, points FROM tier_changes"
    )
    assert [tuple(row) for row in rows] == [(1, 3, "GIVE", answer.entry.transaction_id, 12_000)]
