import asyncio
import random
from dataclasses import replace
from itertools import count

import pytest

from laurel_server.domain.board_configs import BoardConfig, BoardKind, ScoreOperator
from laurel_server.domain.boards import SortOrder, TiePolicy
from laurel_server.domain.commands import RequestKey
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.ranks import Pair
from laurel_server.domain.scores import ScoreAnswer, ScoreCommand
from laurel_server.domain.views import ANY_SCORE, Board, ScoreRange
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import board_at, give, listed

_numbers = count()


async def award_all(parts: Parts, **points: int) -> None:
    for user_id, each in points.items():
        await give(parts, user_id, each)


async def show(parts: Parts, user_id: str, visibility: int) -> None:
    """Set a visibility in the ledger and let the boards follow."""
    await parts.pool.execute("UPDATE users SET visibility = $2 WHERE user_id = $1", user_id, visibility)
    await parts.maintenance.rebuild(None)


async def test_a_walk_lists_everybody_once_who_keeps_his_score(parts: Parts) -> None:
    await award_all(parts, **{f"user-{number:02}": 100 - number for number in range(30)})
    board, seen, after = board_at(parts), list[str](), ""
    for risen in range(29, 0, -1):
        page = await parts.queries.page(board, after, 5)
        seen += [line.user_id for line in page.lines]
        if not page.has_more:
            break
        after = page.marks[-1]
        await give(parts, f"user-{risen:02}", 1000)  # from behind the walk to the top
        await give(parts, "newcomer", 1000)
    assert len(seen) == len(set(seen))
    assert set(seen) >= {f"user-{number:02}" for number in range(24)}


@pytest.mark.parametrize("policy", TiePolicy)
@pytest.mark.parametrize("scores", [ANY_SCORE, ScoreRange(2, 8)], ids=["all", "some"])
async def test_a_walk_among_writers_lists_everybody_once_who_keeps_his_score(
    parts: Parts, policy: TiePolicy, scores: ScoreRange
) -> None:
    config = BoardConfig(
        "race", BoardKind.SCORES, "race", operator=ScoreOperator.LAST, sort_order=SortOrder.ASCENDING
    )
    await parts.boards.create(replace(config, tie_policy=policy), RequestKey("tests", "race", b""))
    board, dice = await parts.queries.find("race", None, ""), random.Random(str(policy))
    keepers = {f"keeper-{number}": dice.randint(0, 10) for number in range(60)}
    movers = [f"mover-{number}" for number in range(40)]
    await report(parts, keepers | {user_id: dice.randint(0, 10) for user_id in movers})

    async def write() -> None:
        while True:
            await report(parts, {user_id: dice.randint(-1, 11) for user_id in dice.sample(movers, 5)})

    writers = [asyncio.create_task(write()) for _ in range(3)]
    try:
        for size in (1, 4, 17):
            listed = [user_id for user_id in await walk(parts, board, size, scores) if user_id in keepers]
            within = [user for user, score in keepers.items() if scores == ANY_SCORE or 2 <= score <= 8]
            assert sorted(listed) == sorted(within)
            assert [keepers[user_id] for user_id in listed] == sorted(keepers[user] for user in within)
    finally:
        for writer in writers:
            writer.cancel()
        ended = await asyncio.gather(*writers, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in ended)


async def report(parts: Parts, given: dict[str, int]) -> None:
    commands = [
        ScoreCommand(
            family="BatchUpdateScores",
            caller="tests",
            request_id=f"score {next(_numbers)}",
            request_hash=b"",
            scope="race",
            period_id="",
            user_id=user_id,
            pair=Pair(score),
            metadata={},
        )
        for user_id, score in given.items()
    ]
    answers = await parts.scores.do_batch(commands, None)
    assert all(isinstance(answer, ScoreAnswer) for answer in answers)


async def walk(parts: Parts, board: Board, size: int, scores: ScoreRange) -> list[str]:
    """Return whom a walk by pages of that size lists."""
    seen, after = list[str](), ""
    while True:
        page = await parts.queries.page(board, after, size, scores)
        seen += [line.user_id for line in page.lines]
        if not page.has_more:
            return seen
        after = page.marks[-1]


async def test_a_page_goes_on_where_its_last_line_was_though_that_user_has_left(parts: Parts) -> None:
    await award_all(parts, a=30, b=20, c=10)
    page = await parts.queries.page(board_at(parts), "", 2)
    await give(parts, "b", 100)
    rest = await parts.queries.page(board_at(parts), page.marks[-1], 2)
    assert [(line.rank, line.user_id) for line in rest.lines] == [(3, "c")]


async def test_a_foreign_mark_is_refused(parts: Parts) -> None:
    await give(parts, "a", 1)
    with pytest.raises(LaurelError) as caught:
        await parts.queries.page(board_at(parts), "no mark", 2)
    assert caught.value.reason is Reason.PAGE_TOKEN_INVALID


async def test_counts_between_scores(parts: Parts) -> None:
    await award_all(parts, a=30, b=20, c=20, d=10)
    board = board_at(parts)
    counted = [
        await parts.queries.count(board, ScoreRange(*bounds)) for bounds in ((20, 20), (None, 20), (0, 0))
    ]
    assert counted == [2, 3, 0]
    page = await parts.queries.page(board, "", 10, ScoreRange(10, 20))
    assert [(line.rank, line.user_id) for line in page.lines] == [(2, "b"), (3, "c"), (4, "d")]


async def test_a_hidden_user_takes_no_position(parts: Parts) -> None:
    await award_all(parts, a=30, b=20, c=10)
    await show(parts, "b", 2)
    assert await listed(parts) == [("a", 30), ("c", 10)]
    lines, missing = await parts.queries.places(board_at(parts), ["c", "b", "nobody"])
    assert ([(line.rank, line.user_id) for line in lines], missing) == ([(2, "c")], ["b", "nobody"])
    for read in (
        parts.queries.place(board_at(parts), "b"),
        parts.queries.surrounding(board_at(parts), "b", 5),
    ):
        with pytest.raises(LaurelError) as caught:
            await read
        assert caught.value.reason is Reason.NOT_ON_BOARD


async def test_a_shadow_user_sees_himself_and_nobody_else_does(parts: Parts) -> None:
    await award_all(parts, a=30, b=20, c=20, d=10)
    await show(parts, "b", 3)
    board = board_at(parts)
    assert await listed(parts) == [("a", 30), ("c", 20), ("d", 10)]
    assert (await parts.queries.place(board, "c")).rank == 2
    place = await parts.queries.place(board, "b")
    assert (place.rank, place.score, place.total) == (2, 20, 4)
    around = await parts.queries.surrounding(board, "b", 5)
    assert [(line.rank, line.user_id) for line in around.lines] == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
    assert around.next_rank == (1, 11)
    assert (await parts.queries.places(board, ["b"]))[1] == ["b"]
    assert await parts.queries.ranks_of(board, ["b"]) == (3, {})


async def test_hiding_and_showing_again_costs_no_place_among_equals(parts: Parts) -> None:
    await award_all(parts, a=20, b=20, c=20)
    await show(parts, "a", 2)
    await show(parts, "a", 1)
    assert [user_id for user_id, _ in await listed(parts)] == ["a", "b", "c"]
