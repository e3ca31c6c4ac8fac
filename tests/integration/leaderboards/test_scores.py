import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest

from laurel_server.domain.board_configs import ScoreOperator
from laurel_server.domain.boards import SortOrder, Visibility
from laurel_server.domain.commands import RequestKey
from laurel_server.domain.errors import Reason
from laurel_server.domain.ledger import RankState
from laurel_server.postgres import scores
from laurel_server.runtime.wiring import Parts
from tests.integration.leaderboards.scoring import board, command, lines, refusal, report, see
from tests.integration.wired import running, until

LARGEST = 1 << 53
BEST, LAST, SUM = ScoreOperator


@pytest.mark.parametrize(
    ("operator", "expected"), [(BEST, (100, 5)), (LAST, (50, 9)), (SUM, (150, 14))], ids=str
)
async def test_what_a_second_score_does(
    parts: Parts, operator: ScoreOperator, expected: tuple[int, int]
) -> None:
    await board(parts, operator=operator)
    first = await report(parts, "ann", 100, 5)
    assert (first.updated, first.rank.rank, first.rank.previous_rank, first.rank_state) == (
        True,
        1,
        0,
        RankState.FRESH,
    )
    second = await report(parts, "ann", 50, 9)
    assert second.updated == (operator is not BEST)
    assert (second.rank.rank, second.rank.previous_rank, second.rank.score) == (1, 1, expected[0])
    assert await lines(parts) == [(1, "ann", *expected)]


async def test_a_request_may_name_another_operator(parts: Parts) -> None:
    await board(parts)
    for score, operator in ((10, None), (5, SUM), (7, None), (3, LAST)):
        await report(parts, "ann", score, operator=operator)
    assert await lines(parts) == [(1, "ann", 3, 0)]


async def test_less_is_better_where_boards_ascend(parts: Parts) -> None:
    await board(parts, sort_order=SortOrder.ASCENDING)
    for user_id, score in {"ann": 30, "bob": 10, "cleo": -5}.items():
        await report(parts, user_id, score)
    assert not (await report(parts, "bob", 11)).updated
    assert await lines(parts) == [(1, "cleo", -5, 0), (2, "bob", 10, 0), (3, "ann", 30, 0)]
    around = await parts.queries.surrounding(await parts.queries.find("race", None, ""), "ann", 5)
    assert around.next_rank == (2, 21)


async def test_the_same_request_counts_once(parts: Parts) -> None:
    await board(parts, operator=SUM)
    first = command("ann", 10, request_id="once")
    answers = [await parts.scores.do(first, None) for _ in range(2)]
    answers += await parts.scores.do_batch([first, first], None)  # type: ignore[arg-type]
    assert [(answer.updated, answer.replayed) for answer in answers] == [(True, False), *[(True, True)] * 3]
    assert await refusal(report(parts, "ann", 11, request_id="once")) is Reason.IDEMPOTENCY_CONFLICT
    assert await lines(parts) == [(1, "ann", 10, 0)]


async def test_each_score_of_a_batch_has_its_own_result(parts: Parts) -> None:
    await board(parts, max_score=100)
    commands = [command("ann", 7), command("bob", 101), command("cleo", 9), command("dan", 1, scope="none")]
    results = await parts.scores.do_batch([*commands, command("ann", 8)], None)
    assert [getattr(each, "reason", None) for each in results] == [
        None,
        Reason.SCORE_OUT_OF_RANGE,
        None,
        Reason.BOARD_NOT_FOUND,
        None,
    ]
    assert await lines(parts) == [(1, "cleo", 9, 0), (2, "ann", 8, 0)]
    assert await refusal(parts.profiles.get("bob")) is Reason.USER_NOT_FOUND
    assert (await parts.profiles.get("cleo")).user_id == "cleo"


async def test_bounds_are_included_and_nothing_goes_beyond_what_is_exact(parts: Parts) -> None:
    await board(parts, min_score=0, max_score=10, operator=SUM)
    await report(parts, "ann", 0)
    await report(parts, "ann", 10)
    for score, user_id in ((1, "ann"), (-1, "bob"), (11, "bob")):
        assert await refusal(report(parts, user_id, score)) is Reason.SCORE_OUT_OF_RANGE
    await board(parts, "wide", operator=SUM)
    await report(parts, "ann", LARGEST, -LARGEST, scope="wide")
    assert await refusal(report(parts, "ann", 1, scope="wide")) is Reason.SCORE_OUT_OF_RANGE
    assert await refusal(report(parts, "ann", 0, -1, scope="wide")) is Reason.SCORE_OUT_OF_RANGE
    assert await lines(parts, "wide") == [(1, "ann", LARGEST, -LARGEST)]


async def test_a_points_board_takes_no_scores(parts: Parts) -> None:
    for scope in ("", "global", "country:US", "global-weekly"):
        assert await refusal(report(parts, "ann", 1, scope=scope)) is Reason.INVALID_FIELD


async def test_metadata_goes_with_the_score(parts: Parts) -> None:
    await board(parts)

    async def metadata() -> Mapping[str, str]:
        page = await parts.queries.page(await parts.queries.find("race", None, ""), "", 10)
        return dict(page.lines[0].metadata)

    await report(parts, "ann", 10, metadata={"car": "red"})
    await report(parts, "ann", 9, metadata={"car": "blue"})
    assert await metadata() == {"car": "red"}
    assert not (await report(parts, "ann", 10, metadata={"car": "green"})).updated
    assert await metadata() == {"car": "green"}
    await parts.maintenance.rebuild(None)
    assert await metadata() == {"car": "green"}
    await report(parts, "ann", 11)
    assert await metadata() == {}


async def test_a_repeated_request_is_answered_as_the_user_stands_now(parts: Parts) -> None:
    assert parts.clock is not None
    await board(parts, reset_cron="0 0 * * *")

    async def again() -> tuple[bool, RankState, int, int]:
        answer = await report(parts, "ann", 10, request_id="once")
        return answer.updated, answer.rank_state, answer.rank.rank, answer.rank.score

    assert await again() == (True, RankState.FRESH, 1, 10)
    await see(parts, "ann", Visibility.HIDDEN)
    assert await again() == (True, RankState.NOT_RANKED, 0, 10)
    await see(parts, "ann", Visibility.PUBLIC)
    await report(parts, "bob", 11)
    assert await again() == (True, RankState.FRESH, 2, 10)
    await parts.clock.set(parts.clock.now() + timedelta(days=1))
    answer = await report(parts, "ann", 10, request_id="once")
    assert (answer.replayed, answer.rank.board.period_id, answer.rank.rank) == (True, "2026-11-25T00:00Z", 2)
    await parts.boards.delete("race", RequestKey("tests", "delete", b""))
    assert await again() == (True, RankState.NOT_RANKED, 0, 0)


async def test_a_score_that_drops_somebody_waits_no_longer_than_any_other_for_its_rank(
    ledger_dsn: str, redis_url: str
) -> None:
    async with running(ledger_dsn, redis_url, budget_ms=200) as parts:
        await board(parts, max_entries=1)
        await report(parts, "ann", 10)
        async with AsyncExitStack() as others:
            for _ in range(parts.pool.get_max_size()):
                await others.enter_async_context(parts.pool.acquire())
            async with asyncio.timeout(60):
                answer = await report(parts, "bob", 20)
            assert (answer.updated, answer.rank_state) == (True, RankState.PENDING)

        async def is_repaired() -> bool:
            return await lines(parts) == [(1, "bob", 20, 0)]

        await until(is_repaired, "bob is on the board, and ann off it")


async def test_who_is_dropped_by_another_server_comes_back_with_a_score_that_waited(
    parts: Parts, ledger_dsn: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await board(parts, max_entries=1)
    await report(parts, "ann", 10)
    entered, go, lock = asyncio.Event(), asyncio.Event(), scores.lock

    async def lock_later(*args: Any) -> None:
        if not entered.is_set():
            entered.set()
            await go.wait()
        await lock(*args)

    monkeypatch.setattr(scores, "lock", lock_later)
    async with running(ledger_dsn, redis_url) as other:
        first = asyncio.create_task(report(parts, "ann", 30))
        await entered.wait()  # its batch is open, and has the smaller number
        await report(other, "bob", 20)
        assert await lines(parts) == [(1, "bob", 20, 0)]
        go.set()
        assert (await first).rank.rank == 1
    assert await lines(parts) == [(1, "ann", 30, 0)]
