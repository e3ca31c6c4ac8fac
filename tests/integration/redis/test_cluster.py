"""Laurel on a Redis Cluster of three servers."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.crc import key_slot

from laurel_server.domain.awards import AwardAnswer
from laurel_server.domain.boards import BoardKey, SortOrder
from laurel_server.domain.errors import LaurelError
from laurel_server.domain.ledger import RankState, User
from laurel_server.redis.cluster import RedisCluster
from laurel_server.redis.errors import RedisUnavailable
from laurel_server.runtime.wiring import Parts
from tests.integration import engines
from tests.integration.engines import Engine
from tests.integration.leaderboards.scoring import board, lines, report
from tests.integration.wired import ALL, WEEK, board_at, command, give, listed, running, until, wrongs
from tests.ports import free_port

COUNTRIES = ("US", "DE", "FR", "GB", "IN", "BR")
USERS = [f"user-{number:02}" for number in range(30)]
BEST = [(user_id, 1000 - number) for number, user_id in enumerate(USERS)]


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Engine]]:
    """The servers of a cluster."""
    nodes = engines.new_redis_cluster(tmp_path_factory.mktemp("cluster"))
    yield nodes
    for node in nodes:
        node.stop()


@pytest.fixture
async def cluster(nodes: list[Engine]) -> AsyncIterator[RedisCluster]:
    """A connection to the empty cluster, by one of its nodes."""
    for node in nodes:
        async with Redis(port=node.port) as client:
            await client.flushall()
    connection = RedisCluster(engines.redis_url(nodes[1]), 5)
    yield connection
    await connection.close()


@pytest.fixture
async def parts(ledger_dsn: str, cluster: RedisCluster) -> AsyncIterator[Parts]:
    """A server whose boards are on the cluster."""
    async with running(ledger_dsn, cluster.listening_urls()[0], redis_cluster=True) as parts:
        yield parts


async def test_keys_are_kept_where_the_cluster_has_their_slot(
    cluster: RedisCluster, nodes: list[Engine]
) -> None:
    names = [f"key-{number}" for number in range(60)]
    await asyncio.gather(*(cluster.call("SET", name, name) for name in names))
    assert await asyncio.gather(*(cluster.call("GET", name) for name in names)) == [
        name.encode() for name in names
    ]
    for node in nodes:
        async with Redis(port=node.port) as client:
            assert 0 < await client.dbsize() < len(names)


async def test_every_node_keeps_a_key_of_its_own(cluster: RedisCluster, nodes: list[Engine]) -> None:
    names = await cluster.node_keys("canary")
    assert len(names) == len(nodes)
    for name in names:
        await cluster.call("SET", name, 1)
    for node in nodes:
        async with Redis(port=node.port) as client:
            assert await client.dbsize() == 1


async def _ask(client: Redis, *command: str | int) -> Any:
    return await client.execute_command(*command)  # type: ignore[no-untyped-call]


async def test_a_slot_that_moves_is_followed(cluster: RedisCluster, nodes: list[Engine]) -> None:
    slot = key_slot(b"traveller")
    clients = [Redis(port=node.port, decode_responses=True) for node in nodes]
    try:
        await cluster.call("SET", "traveller", "luggage")
        ids = [await _ask(client, "CLUSTER", "MYID") for client in clients]
        sizes = [await client.dbsize() for client in clients]
        home = sizes.index(1)
        away = (home + 1) % len(clients)
        await _ask(clients[away], "CLUSTER", "SETSLOT", slot, "IMPORTING", ids[home])
        await _ask(clients[home], "CLUSTER", "SETSLOT", slot, "MIGRATING", ids[away])
        await _ask(clients[home], "MIGRATE", "127.0.0.1", nodes[away].port, "traveller", 0, 5000)
        assert await cluster.call("GET", "traveller") == b"luggage"  # by ASK
        for at in (away, home):
            await _ask(clients[at], "CLUSTER", "SETSLOT", slot, "NODE", ids[away])
        assert await cluster.call("GET", "traveller") == b"luggage"  # by MOVED
        assert await cluster.call("GET", "traveller") == b"luggage"
    finally:
        for client in clients:
            await client.aclose()


async def test_awards_ranks_and_watches(parts: Parts) -> None:
    await parts.profiles.upsert(
        [User(user_id, country=COUNTRIES[number % 6]) for number, user_id in enumerate(USERS)]
    )
    answers = await parts.awards.award_batch([command(user_id, points) for user_id, points in BEST], None)
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    answer = await give(parts, "user-29", 5)
    assert answer.rank_state is RankState.FRESH
    assert {(rank.board.scope, rank.rank) for rank in answer.ranks if rank.board.period_id == ALL} == {
        ("global", 26),
        ("country:BR", 5),
        ("tier:bronze", 26),
    }
    best = sorted(dict([*BEST, ("user-29", 976)]).items(), key=lambda line: -line[1])
    assert await listed(parts) == best
    assert await listed(parts, period_id=WEEK) == best
    assert await listed(parts, "country:US") == [line for line in BEST if USERS.index(line[0]) % 6 == 0]
    tried = await parts.awards.award(command("user-00", 7, validate_only=True), None)
    assert {rank.rank for rank in tried.ranks} == {1}
    report = await parts.maintenance.rebuild(None)
    assert report.members
    assert await listed(parts) == best
    assert await wrongs(parts) == []


async def test_a_board_is_spread_over_all_nodes_with_exact_ranks(parts: Parts, nodes: list[Engine]) -> None:
    config = await parts.boards.board("global-all")
    await parts.boards.update(replace(config, slots=12), ["slots"])
    dice, points, order = random.Random(8), dict[str, int](), list[tuple[str, int]]()
    for _ in range(5):
        given = {f"user-{number}": dice.randint(1, 5) for number in dice.sample(range(200), 90)}
        answers = await parts.awards.award_batch([command(*each) for each in given.items()], None)
        for user_id, more in given.items():
            points[user_id] = points.pop(user_id, 0) + more
        order = sorted(points.items(), key=lambda line: -line[1])
        ranks = {user_id: rank for rank, (user_id, _) in enumerate(order, start=1)}
        for answer in answers:
            assert isinstance(answer, AwardAnswer)
            (told,) = [rank for rank in answer.ranks if rank.board == BoardKey("global", ALL)]
            assert told.rank == ranks[answer.entry.user_id]
    assert await listed(parts) == order
    around = await parts.queries.surrounding(board_at(parts), order[50][0], 5)
    assert [(line.user_id, line.score) for line in around.lines] == order[45:56]
    for node in nodes:
        async with Redis(port=node.port) as client:
            assert [name async for name in client.scan_iter("{leaderboard:global*")]
    await parts.maintenance.rebuild(None)
    assert await listed(parts) == order
    assert await wrongs(parts) == []


async def test_a_score_board_is_spread_over_all_nodes(parts: Parts, nodes: list[Engine]) -> None:
    await board(parts, sort_order=SortOrder.ASCENDING, slots=12)
    scores = {f"user-{number}": number * 7 % 40 for number in range(80)}
    for user_id, score in scores.items():
        await report(parts, user_id, score, metadata={"of": user_id})
    order = sorted(scores, key=lambda user_id: scores[user_id])  # equals stay in the order of their scores
    assert [line[:3] for line in await lines(parts)] == [
        (rank, user_id, scores[user_id]) for rank, user_id in enumerate(order, start=1)
    ]
    for node in nodes:
        async with Redis(port=node.port) as client:
            assert [name async for name in client.scan_iter("{leaderboard:race*")]
    assert (await report(parts, order[-1], -1)).rank.rank == 1
    assert await wrongs(parts) == []


async def _repaired(parts: Parts) -> bool:
    try:
        return not await wrongs(parts, "boards")
    except LaurelError:
        return False


async def test_a_node_that_lost_everything_is_filled_again(parts: Parts, nodes: list[Engine]) -> None:
    await parts.profiles.upsert(
        [User(user_id, country=COUNTRIES[number % 6]) for number, user_id in enumerate(USERS)]
    )
    await parts.awards.award_batch([command(user_id, points) for user_id, points in BEST], None)
    for node in nodes:
        async with Redis(port=node.port) as client:
            await client.flushall()
        await until(lambda: _repaired(parts), "the boards equal the ledger")
    assert await listed(parts) == BEST


async def test_a_node_that_is_away_costs_no_award(ledger_dsn: str, nodes: list[Engine]) -> None:
    async with running(ledger_dsn, engines.redis_url(nodes[0]), redis_cluster=True) as parts:
        await give(parts, "ann", 5)
        nodes[2].kill()
        try:
            answers = [await give(parts, user_id, points) for user_id, points in BEST]
            assert {answer.entry.points for answer in answers} == {points for _, points in BEST}
        finally:
            nodes[2].start()
        await until(lambda: _repaired(parts), "the boards equal the ledger")
        assert await listed(parts) == [*BEST, ("ann", 5)]


async def test_no_cluster_that_answers_is_said_so() -> None:
    connection = RedisCluster(f"redis://127.0.0.1:{free_port()}/0", 1)
    with pytest.raises(RedisUnavailable):
        await connection.call("GET", "key")
    await connection.close()
