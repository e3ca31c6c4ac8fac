import random
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laurel_server.domain.boards import BoardKey
from laurel_server.leaderboards.placement import Placement
from laurel_server.leaderboards.projection import Projection
from laurel_server.redis.keys import TIE_LENGTH, board_keys
from laurel_server.redis.node import RedisNode
from laurel_server.runtime.wiring import Parts
from tests.integration.conftest import Run
from tests.integration.wired import WEEK, command, listed, wrongs

_boards = count()


def order_of(totals: dict[str, tuple[int, int]]) -> list[tuple[str, int]]:
    """Return users by score, who reached it first before his equals."""
    best_first = sorted(totals.items(), key=lambda each: (-each[1][0], each[1][1]))
    return [(user_id, score) for user_id, (score, _) in best_first]


async def test_boards_equal_brute_force_over_random_awards(parts: Parts) -> None:
    dice, totals = random.Random(7), dict[str, tuple[int, int]]()
    for moment in range(40):
        users = dice.choices([f"user-{n}" for n in range(60)], k=dice.randint(1, 25))
        commands = [command(user_id, dice.randint(0, 4)) for user_id in users]
        for result in await parts.awards.award_batch(commands, None):
            assert not isinstance(result, Exception)
        for place, each in enumerate(commands):
            points = int(each.attributes["points"])
            if points:
                score = totals[each.user_id][0] if each.user_id in totals else 0
                totals[each.user_id] = (score + points, moment * 1000 + place)

    assert await listed(parts) == order_of(totals)
    assert await listed(parts, period_id=WEEK) == order_of(totals)
    await parts.maintenance.rebuild(None)
    assert await listed(parts) == order_of(totals)
    assert await wrongs(parts) == []


Change = tuple[int, int, bool]  # user, score (0: none), whether he is on the board

changes = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.booleans()), min_size=1, max_size=12)


def placements_of(made: list[Change], board: BoardKey) -> list[Placement]:
    """Return one placement a change, as a ledger makes them: the version grows with each."""
    return [
        Placement(
            f"user-{user}",
            version,
            {board.period_id: (score, version)},
            (board,) if on else (),
            () if on else (board,),
        )
        for version, (user, score, on) in enumerate(made, start=1)
    ]


def expected(made: list[Change]) -> list[tuple[str, int]]:
    """Return the board after the last change of each user."""
    last = {f"user-{user}": (score, version, on) for version, (user, score, on) in enumerate(made)}
    return order_of({user: (score, version) for user, (score, version, on) in last.items() if on and score})


@given(made=changes, data=st.data())
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_lost_order_and_repetition_do_not_change_a_board(
    made: list[Change], data: st.DataObject, redis_url: str, run: Run
) -> None:
    board = BoardKey("global", f"2026-W{next(_boards) % 50 + 1:02}")
    right = placements_of(made, board)
    extra = data.draw(st.lists(st.sampled_from(right), max_size=6))
    shuffled = data.draw(st.permutations([*right, *extra]))

    assert run(_board_after(redis_url, board, shuffled)) == expected(made)


async def _board_after(redis_url: str, board: BoardKey, placements: list[Placement]) -> list[tuple[str, int]]:
    redis, keys = RedisNode(redis_url, 5), board_keys(board)
    try:
        await redis.call("UNLINK", *keys)
        projection = Projection(redis, 5)
        for placement in placements:
            await projection.apply([placement], {board})
        flat = await redis.call("ZREVRANGE", keys.standings, 0, -1, "WITHSCORES")
        assert await redis.call("HLEN", keys.members) == len(flat) // 2 + 1
    finally:
        await redis.close()
    return [
        (member[TIE_LENGTH:].decode(), int(score))
        for member, score in zip(flat[::2], flat[1::2], strict=True)
    ]
