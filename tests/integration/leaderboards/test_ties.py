"""Every tie policy in both orders, with and without sub-scores, against a list sorted by brute force."""

import asyncio
import gc
import random
from collections.abc import AsyncIterator
from itertools import count, product

import pytest

from laurel_server.domain.boards import BoardKey, SortOrder, TiePolicy, Traits
from laurel_server.domain.periods import ALL_TIME
from laurel_server.domain.ranks import Pair, points_needed
from laurel_server.domain.views import Board, ScoreRange, Unlisted
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.reading import BoardScripts, Ranks, look, sorted_score
from laurel_server.leaderboards.seating import Seat, Seating, seat
from laurel_server.redis.errors import RedisUnavailable
from laurel_server.redis.keys import all_keys, sub_score_text, tie
from laurel_server.redis.node import RedisNode
from tests.oracle.board import BruteForceBoard, Row, Standing
from tests.ports import free_port

KINDS = [
    *(Traits(*kind) for kind in product(TiePolicy, SortOrder, (False, True))),
    *(Traits(policy, slots=3) for policy in (TiePolicy.EARLIEST_FIRST, TiePolicy.COMPETITION)),
    *(
        Traits(policy, order, has_scores=True, slots=3)
        for policy, order in product((TiePolicy.EARLIEST_FIRST, TiePolicy.COMPETITION), SortOrder)
    ),
]
LARGEST = 1 << 53

_numbers = count(1)


class KnownBoards:
    """A registry to which every board is known."""

    async def has(self, board: BoardKey) -> bool:
        return bool(board)


def damaged() -> None:
    raise AssertionError("a board was found damaged")


class Bench:
    """A board in Redis beside the same by brute force."""

    def __init__(self, redis: RedisNode, traits: Traits) -> None:
        self.redis = redis
        self.key = BoardKey(f"bench-{next(_numbers)}", "all")
        self.board = Board(self.key, ALL_TIME, traits)
        self.model = BruteForceBoard(traits)
        self.scripts = BoardScripts(redis, KnownBoards(), Catalogue(), damaged)  # type: ignore[arg-type]
        self.version = 0

    def seat_of(self, user_id: str, standing: Standing, version: int) -> Seat:
        traits = self.board.traits
        sub = sub_score_text(sorted_score(traits, standing.sub_score)) if traits.has_scores else ""
        score = str(sorted_score(traits, standing.score))
        return Seat(user_id, version, score, f"{sub}{tie(standing.reached)}{version}")

    async def put(self, **standings: tuple[int, int]) -> dict[str, tuple[int, int]]:
        """Put users on the board in one call and return their ranks before and after."""
        before = {row.user_id: row.rank for row in self.model.rows()}
        seating = Seating(self.board.traits)
        for user_id, (score, sub_score) in standings.items():
            self.version += 1
            standing = Standing(score, sub_score if self.board.traits.has_scores else 0, self.version)
            self.model.standings[user_id] = standing
            seating.on.append(self.seat_of(user_id, standing, self.version))
        seated = await seat(self.redis, {self.key: seating}, {self.key}, ranked=True, tell=False)
        assert not seated.incomplete
        told = {user_id: (rank.previous_rank, rank.rank) for user_id, rank in seated.ranks}
        assert told == {user: (before.get(user, 0), self.model.row(user).rank) for user in standings}
        return told

    async def remove(self, user_id: str) -> None:
        self.version += 1
        self.model.standings.pop(user_id, None)
        seating = Seating(self.board.traits, off=[(user_id, self.version)])
        await seat(self.redis, {self.key: seating}, ranked=False, tell=False)

    async def check(self) -> None:
        """Compare every read with the list sorted by brute force."""
        rows = self.model.rows()
        assert await look(self.redis, self.key, self.board.traits.slots) == (True, len(rows))
        for size in (1, 2, 5, 1000):
            assert await self.walk(size) == rows
        _, found = await self.scripts.places(self.board, [row.user_id for row in rows] or ["nobody"])
        assert {each.line.user_id: each.rank for each in found} == {row.user_id: row.rank for row in rows}
        numbers = await self.scripts.ranks(self.board, ["nobody", *(row.user_id for row in rows)])
        assert numbers == Ranks(
            len(rows), [0, *(row.rank for row in rows)], [0, *(row.score for row in rows)]
        )
        for position, row in enumerate(rows):
            await self.check_around(row, position)

    async def walk(self, size: int, scores: ScoreRange | None = None) -> list[Row]:
        """Return the whole board by pages; checks each line's rank by that of the first in its page."""
        rows: list[Row] = []
        after = ""
        while True:
            page = await self.scripts.stretch(self.board, size, after=after, scores=scores or ScoreRange())
            for line in page.lines:
                rank = page.rank if line is page.lines[0] else self.model.row(line.user_id).rank
                rows.append(Row(rank, line.user_id, *line.pair))
            if page.position + len(page.lines) >= page.end:
                return rows
            after = page.lines[-1].mark

    async def check_around(self, row: Row, position: int) -> None:
        around = await self.scripts.around(self.board, row.user_id, 2)
        rows = self.model.rows()
        near = rows[max(0, position - 2) : position + 3]
        assert (around.position, around.rank) == (position, row.rank)
        assert [line.user_id for line in around.stretch.lines] == [each.user_id for each in near]
        assert around.stretch.rank == near[0].rank
        better = [each for each in rows if each.rank < row.rank]
        assert (around.following is None) == (not better)
        if around.following:
            assert around.following.rank == better[-1].rank
            self.check_needed(row, better[-1], around.following.pair)
        if around.milestone:
            target = next(each for each in reversed(better) if each.rank <= self._milestone(row.rank))
            assert around.milestone.rank == target.rank

    def check_needed(self, own: Row, target: Row, pair: Pair) -> None:
        assert pair == Pair(target.score, target.sub_score)
        traits = self.board.traits
        needed = points_needed(Pair(own.score, own.sub_score), pair, traits.tie_policy, traits.sort_order)
        assert needed == self.model.needed(own, target)

    @staticmethod
    def _milestone(rank: int) -> int:
        return max(each for each in (1, 3, 10, 20, 50) if each < rank)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[RedisNode]:
    connection = RedisNode(redis_url, 5)
    yield connection
    await connection.close()


@pytest.mark.parametrize("traits", KINDS, ids=str)
async def test_every_read_agrees_with_brute_force(redis: RedisNode, traits: Traits) -> None:
    dice, bench = random.Random(str(traits)), Bench(redis, traits)
    users = [f"user-{number}" for number in range(14)]
    for _ in range(25):
        chosen = dice.sample(users, dice.randint(1, 4))
        await bench.put(**{user: (dice.randint(-2, 3), dice.randint(-1, 2)) for user in chosen})
        if dice.random() < 0.5:
            await bench.remove(dice.choice(users))
        await bench.check()
    if traits.tie_policy is TiePolicy.DENSE:
        levels = await redis.call("ZCARD", all_keys(bench.key)[3])
        assert levels == len({row.rank for row in bench.model.rows()})


@pytest.mark.parametrize("traits", KINDS, ids=str)
async def test_scores_between_bounds(redis: RedisNode, traits: Traits) -> None:
    dice, bench = random.Random(5), Bench(redis, traits)
    await bench.put(**{f"user-{number}": (dice.randint(-4, 4), number % 3) for number in range(30)})
    for low, high in product((None, -2, 0, 3, 9), (None, -3, 0, 1)):
        wanted = [
            row
            for row in bench.model.rows()
            if (low is None or row.score >= low) and (high is None or row.score <= high)
        ]
        assert await bench.walk(4, ScoreRange(low, high)) == wanted
        counted = await bench.scripts.stretch(bench.board, 0, scores=ScoreRange(low, high))
        assert max(0, counted.end - counted.position) == len(wanted)


@pytest.mark.parametrize("traits", KINDS, ids=str)
async def test_where_a_shadow_user_would_stand(redis: RedisNode, traits: Traits) -> None:
    dice, bench = random.Random(9), Bench(redis, traits)
    await bench.put(**{f"user-{number}": (dice.randint(0, 4), number % 2) for number in range(12)})
    for score, sub_score, reached in product((-1, 0, 2, 4, 5), (0, 1), (0, 6, 99)):
        standing = Standing(score, sub_score if traits.has_scores else 0, reached)
        bench.model.standings["shadow"], bench.model.hidden = standing, {"shadow"}
        own = Unlisted("shadow", Pair(standing.score, standing.sub_score), reached)
        around = await bench.scripts.around(bench.board, "shadow", 3, own)
        rows = bench.model.rows("shadow")
        position = next(at for at, row in enumerate(rows) if row.user_id == "shadow")
        if reached:  # with 0 he was there before everybody
            assert (around.position, around.rank) == (position, rows[position].rank)
        others = [row.user_id for row in rows[max(0, position - 3) : position + 4] if row.user_id != "shadow"]
        assert [line.user_id for line in around.stretch.lines] == others
        del bench.model.standings["shadow"]


@pytest.mark.parametrize("traits", KINDS, ids=str)
async def test_ranks_are_exact_to_the_largest_score(redis: RedisNode, traits: Traits) -> None:
    bench = Bench(redis, traits)
    await bench.put(
        a=(LARGEST, LARGEST), b=(LARGEST - 1, -LARGEST), c=(-LARGEST, LARGEST - 1), d=(-LARGEST, LARGEST)
    )
    assert await bench.walk(1) == bench.model.rows()


async def test_a_lost_level_is_noticed(redis: RedisNode) -> None:
    bench = Bench(redis, Traits(TiePolicy.DENSE))
    await bench.put(a=(3, 0), b=(2, 0))
    await redis.call("UNLINK", all_keys(bench.key)[3])
    with pytest.raises(AssertionError, match="damaged"):
        await bench.scripts.places(bench.board, ["b"])


async def test_placing_twice_late_and_out_of_order_is_harmless(redis: RedisNode) -> None:
    bench = Bench(redis, Traits(TiePolicy.DENSE, SortOrder.ASCENDING, has_scores=True))
    await bench.put(a=(3, 0), b=(3, 0))
    stale = Seating(bench.board.traits, on=[bench.seat_of("a", Standing(9, 9, 1), 1)], off=[("b", 1)])
    await seat(redis, {bench.key: stale}, ranked=False, tell=False)
    await bench.check()
    await bench.remove("a")
    await seat(redis, {bench.key: stale}, ranked=False, tell=False)
    await bench.check()


@pytest.fixture
async def unnoticed() -> AsyncIterator[list[object]]:
    """What tasks have failed with that nobody has asked: the garbage collector finds it, and the log shows it."""
    loop, found = asyncio.get_running_loop(), list[object]()
    loop.set_exception_handler(lambda _loop, context: found.append(context))
    yield found
    loop.set_exception_handler(None)


async def test_a_redis_that_is_away_is_one_error_however_many_boards_are_meant(
    unnoticed: list[object],
) -> None:
    redis, others = RedisNode(f"redis://127.0.0.1:{free_port()}/0", 1), asyncio.all_tasks()
    place = Seat("ann", 1, "5", f"{tie(1)}1")
    seatings = {
        BoardKey(f"bench-{slots}", "all"): Seating(Traits(TiePolicy.COMPETITION, slots=slots), [place])
        for slots in (1, 2, 3)
    }
    with pytest.raises(RedisUnavailable):
        await seat(redis, seatings, ranked=True, tell=False)
    await asyncio.gather(*asyncio.all_tasks() - others, return_exceptions=True)
    gc.collect()
    assert unnoticed == []
    await redis.close()
