import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count, product
from typing import Any

import pytest

from laurel_server.domain.board_configs import BoardConfig, BoardKind, ScoreOperator
from laurel_server.domain.boards import BoardKey, SortOrder, TiePolicy, Visibility
from laurel_server.domain.commands import RequestKey
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.ledger import RankState
from laurel_server.domain.people import Order
from laurel_server.domain.ranks import Pair
from laurel_server.domain.scores import ScoreAnswer, ScoreCommand
from laurel_server.redis.keys import all_keys
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import give, until, wrongs
from tests.oracle.board import BruteForceBoard

LARGEST = 1 << 53
BEST, LAST, SUM = ScoreOperator
_numbers = count()


async def board(parts: Parts, board_id: str = "race", **more: Any) -> str:
    """Create a score board."""
    config = BoardConfig(board_id, BoardKind.SCORES, board_id, **more)
    await parts.boards.create(config, RequestKey("tests", f"board {next(_numbers)}", b""))
    return board_id


def command(user_id: str, score: int = 0, sub_score: int = 0, **more: Any) -> ScoreCommand:
    fields: dict[str, Any] = {"scope": "race", "period_id": "", "metadata": {}, **more}
    request_id = fields.pop("request_id", f"score {next(_numbers)}")
    body = repr((user_id, score, sub_score, sorted(fields.items(), key=str))).encode()
    return ScoreCommand(
        family="UpdateScore",
        caller="tests",
        request_id=request_id,
        request_hash=body[:200],
        user_id=user_id,
        pair=Pair(score, sub_score),
        **fields,
    )


async def report(parts: Parts, user_id: str, score: int = 0, sub_score: int = 0, **more: Any) -> ScoreAnswer:
    return await parts.scores.do(command(user_id, score, sub_score, **more), None)


async def remove(parts: Parts, user_id: str, **more: Any) -> bool:
    return (await report(parts, user_id, is_removal=True, **more)).updated


async def lines(parts: Parts, board_id: str = "race", period_id: str = "") -> list[tuple[int, str, int, int]]:
    found = await parts.queries.find(board_id, None, period_id)
    page = await parts.queries.page(found, "", 1000)
    return [(line.rank, line.user_id, line.score, line.sub_score) for line in page.lines]


async def see(parts: Parts, user_id: str, visibility: Visibility) -> None:
    number = f"see {next(_numbers)}"
    order = Order(user_id, number, number.encode().ljust(16), b"", "tests")
    await parts.people.set_visibility(order, visibility)


async def refusal(work: Any) -> Reason:
    with pytest.raises(LaurelError) as caught:
        await work
    return caught.value.reason


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


async def test_a_size_cap_keeps_the_best(parts: Parts) -> None:
    await board(parts, max_entries=2, operator=LAST)
    await report(parts, "ann", 10)
    await report(parts, "bob", 20)
    outside = await report(parts, "cleo", 10)
    assert (outside.updated, outside.rank_state, outside.rank.rank) == (False, RankState.NOT_RANKED, 0)
    inside = await report(parts, "cleo", 11)
    assert (inside.updated, inside.rank.rank) == (True, 2)
    assert await lines(parts) == [(1, "bob", 20, 0), (2, "cleo", 11, 0)]
    await parts.maintenance.rebuild(None)
    assert await lines(parts) == [(1, "bob", 20, 0), (2, "cleo", 11, 0)]
    assert await remove(parts, "bob")
    assert (await report(parts, "ann", 1)).rank.rank == 2


@pytest.mark.parametrize(("policy", "order"), list(product(TiePolicy, SortOrder)), ids=str)
async def test_equals_of_the_last_one_stay_outside_a_size_cap(
    parts: Parts, policy: TiePolicy, order: SortOrder
) -> None:
    await board(parts, max_entries=2, tie_policy=policy, sort_order=order)
    sign = 1 if order is SortOrder.DESCENDING else -1
    for user_id, score in {"ann": 10, "bob": 10, "cleo": 10}.items():
        answer = await report(parts, user_id, sign * score, sign)
        assert answer.updated == (user_id != "cleo")
    assert not (await report(parts, "cleo", sign * 10, 0)).updated
    assert [user_id for _, user_id, _, _ in await lines(parts)] == ["ann", "bob"]
    assert (await report(parts, "cleo", sign * 10, sign * 2)).rank.rank == 1
    assert [user_id for _, user_id, _, _ in await lines(parts)] == ["cleo", "ann"]


async def kept(parts: Parts) -> set[str]:
    """Return who has a score in the ledger."""
    return {row[0] for row in await parts.pool.fetch("SELECT user_id FROM scores JOIN users USING (user_no)")}


async def test_a_lower_size_cap_drops_the_last_ones(parts: Parts) -> None:
    await board(parts, max_entries=9)
    for score, user_id in enumerate(("ann", "bob", "cleo", "dan", "eve"), start=1):
        await report(parts, user_id, min(score, 3))  # cleo, dan and eve are equals
    await see(parts, "ann", Visibility.HIDDEN)
    config = await parts.boards.board("race")
    await parts.boards.update(replace(config, max_entries=2), ["max_entries"])
    expected = [(1, "cleo", 3, 0), (2, "dan", 3, 0)]
    assert await lines(parts) == expected
    assert await kept(parts) == {"ann", "cleo", "dan"}
    await parts.maintenance.rebuild(None)
    assert await lines(parts) == expected
    assert await wrongs(parts) == []
    assert (await report(parts, "eve", 4)).rank.rank == 1
    assert [user_id for _, user_id, _, _ in await lines(parts)] == ["eve", "cleo"]


async def test_a_cap_that_a_stopped_server_did_not_apply_is_applied_with_the_next_score(parts: Parts) -> None:
    await board(parts, max_entries=3)
    for score, user_id in enumerate(("ann", "bob", "cleo"), start=1):
        await report(parts, user_id, score)
    await parts.pool.execute("UPDATE boards SET max_entries = 1 WHERE board_id = 'race'")
    await parts.pool.execute("UPDATE rules_version SET version = version + 1")
    assert (await report(parts, "bob", 2)).rank_state is RankState.NOT_RANKED
    assert await lines(parts) == [(1, "cleo", 3, 0)]
    assert await kept(parts) == {"cleo"}


async def test_who_is_shown_again_takes_the_place_of_the_last_one(parts: Parts) -> None:
    await board(parts, max_entries=2)
    await report(parts, "ann", 10)
    await see(parts, "ann", Visibility.HIDDEN)
    for user_id, score in {"bob": 9, "cleo": 8, "dan": 7}.items():
        await report(parts, user_id, score)
    await see(parts, "ann", Visibility.PUBLIC)
    assert await lines(parts) == [(1, "ann", 10, 0), (2, "bob", 9, 0)]
    assert await kept(parts) == {"ann", "bob"}
    assert await wrongs(parts) == []


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


async def test_resets(parts: Parts) -> None:
    assert parts.clock is not None
    await board(parts, reset_cron="0 0 * * 1")
    first = await report(parts, "ann", 10)
    assert first.rank.board.period_id == "2026-11-23T00:00Z"
    await parts.clock.set(datetime(2026, 11, 30, 9, tzinfo=UTC))
    assert await lines(parts) == []
    second = await report(parts, "bob", 5)
    assert (second.rank.board.period_id, second.rank.rank) == ("2026-11-30T00:00Z", 1)
    assert await lines(parts, period_id="2026-11-23T00:00Z") == [(1, "ann", 10, 0)]
    assert await refusal(report(parts, "bob", 5, period_id="2026-11-23T00:00Z")) is Reason.PERIOD_CLOSED
    assert await refusal(report(parts, "bob", 5, period_id="2026-12-07T00:00Z")) is Reason.PERIOD_NOT_FOUND
    assert await refusal(report(parts, "bob", 5, period_id="2026-W49")) is Reason.INVALID_FIELD
    assert await refusal(lines(parts, period_id="2026-12-07T00:00Z")) is Reason.PERIOD_NOT_FOUND
    page = await parts.queries.page(await parts.queries.find("race", None, ""), "", 1)
    assert page.board.period.ends_at == datetime(2026, 12, 7, tzinfo=UTC)


async def test_members_are_removed_and_come_back_behind_their_equals(parts: Parts) -> None:
    await board(parts)
    for user_id in ("ann", "bob"):
        await report(parts, user_id, 10)
    assert await remove(parts, "ann")
    assert not await remove(parts, "ann")
    assert await refusal(remove(parts, "nobody")) is Reason.USER_NOT_FOUND
    await report(parts, "ann", 10)
    assert [user_id for _, user_id, _, _ in await lines(parts)] == ["bob", "ann"]


async def test_a_board_that_is_created_again_is_empty(parts: Parts) -> None:
    await board(parts)
    await report(parts, "ann", 10)
    await parts.boards.delete("race", RequestKey("tests", "delete", b""))
    assert await refusal(parts.queries.find("race", None, "")) is Reason.BOARD_NOT_FOUND
    assert await refusal(report(parts, "ann", 10)) is Reason.BOARD_NOT_FOUND
    await board(parts)
    assert await lines(parts) == []
    assert (await report(parts, "bob", 1)).rank.rank == 1
    assert not await parts.pool.fetchval("SELECT count(*) FROM scores WHERE score = 10")


async def test_visibility(parts: Parts) -> None:
    await board(parts)
    for user_id in ("ann", "bob", "cleo"):
        await report(parts, user_id, 10)

    found = await parts.queries.find("race", None, "")
    await see(parts, "bob", Visibility.HIDDEN)
    assert [user_id for _, user_id, _, _ in await lines(parts)] == ["ann", "cleo"]
    hidden = await report(parts, "bob", 11)
    assert (hidden.updated, hidden.rank_state, hidden.rank.score) == (True, RankState.NOT_RANKED, 11)
    assert await refusal(parts.queries.place(found, "bob")) is Reason.NOT_ON_BOARD
    await see(parts, "bob", Visibility.SHADOW)
    place = await parts.queries.place(found, "bob")
    assert (place.rank, place.score, place.total) == (1, 11, 3)
    assert [user_id for _, user_id, _, _ in await lines(parts)] == ["ann", "cleo"]
    await see(parts, "bob", Visibility.PUBLIC)
    assert [user_id for _, user_id, _, _ in await lines(parts)] == ["bob", "ann", "cleo"]
    await parts.people.erase(Order("ann", "erase", b"erase".ljust(16), b"", "tests"))
    assert [user_id for _, user_id, _, _ in await lines(parts)] == ["bob", "cleo"]
    await parts.maintenance.rebuild(None)
    assert [user_id for _, user_id, _, _ in await lines(parts)] == ["bob", "cleo"]


async def test_the_ranks_of_a_user_are_on_points_and_score_boards(parts: Parts) -> None:
    assert parts.clock is not None
    await board(parts)
    await board(parts, "daily", reset_cron="0 0 * * *")
    await report(parts, "ann", 3)
    await report(parts, "ann", 4, scope="daily")
    await give(parts, "ann", 10)
    boards = {place.board.key.scope for place in await parts.queries.all_places("ann")}
    assert boards >= {"race", "daily", "global"}
    await parts.clock.set(parts.clock.now() + timedelta(days=1))
    boards = {place.board.key.scope for place in await parts.queries.all_places("ann")}
    assert "race" in boards
    assert "daily" not in boards


async def test_scores_come_back_after_a_loss(parts: Parts) -> None:
    await board(parts, tie_policy=TiePolicy.DENSE)
    for user_id, score in {"ann": 3, "bob": 3, "cleo": 1}.items():
        await report(parts, user_id, score, metadata={"who": user_id})
    before = await lines(parts)
    await parts.redis.call("FLUSHALL")

    async def is_back() -> bool:
        with suppress(LaurelError):  # BOARDS_REBUILDING
            return await lines(parts) == before
        return False

    await until(is_back, "the score board after a loss")


KINDS = list(product(ScoreOperator, SortOrder, TiePolicy))


@pytest.mark.parametrize(("operator", "order", "policy"), KINDS, ids=str)
async def test_boards_equal_brute_force(
    parts: Parts, operator: ScoreOperator, order: SortOrder, policy: TiePolicy
) -> None:
    cap = 6 if policy is TiePolicy.DENSE else 0
    await board(parts, operator=operator, sort_order=order, tie_policy=policy, max_entries=cap)
    found = await parts.queries.find("race", None, "")
    dice, model = random.Random(f"{operator} {order} {policy}"), BruteForceBoard(found.traits)
    users = [f"user-{number}" for number in range(9)]
    for moment in count(1):
        user_id = dice.choice(users)
        if dice.random() < 0.15:
            if await parts.pool.fetchval("SELECT EXISTS (SELECT 1 FROM users WHERE user_id = $1)", user_id):
                assert await remove(parts, user_id) == (model.standings.pop(user_id, None) is not None)
            continue
        new = (dice.randint(-2, 2), dice.randint(-1, 1))
        answer = await report(parts, user_id, *new)
        expected = model.report(user_id, new, operator, moment, cap)
        assert answer.updated == expected
        if answer.rank_state is RankState.PENDING:  # the machine is busy: repair brings it there
            await until(partial(agree, parts, model), "the board follows")
        elif user_id in model.standings:
            assert answer.rank.rank == model.row(user_id).rank
        else:
            assert answer.rank_state is RankState.NOT_RANKED
        if moment % 10 == 0:
            assert await agree(parts, model)
        if moment > 60:
            break
    await parts.maintenance.rebuild(None)
    assert await agree(parts, model)


async def agree(parts: Parts, model: BruteForceBoard) -> bool:
    """Whether the board lists what the model does; False while it is being rebuilt."""
    with suppress(LaurelError):
        return await lines(parts) == [tuple(row) for row in model.rows()]
    return False


async def test_the_integrity_check_finds_what_is_wrong_on_a_score_board(parts: Parts) -> None:
    await board(parts, sort_order=SortOrder.ASCENDING)
    for user_id, score, sub_score in (("ann", 10, 0), ("bob", -10, 5), ("cleo", -10, -5)):
        await report(parts, user_id, score, sub_score)
    assert await wrongs(parts, "boards") == []
    standings, members, *_ = all_keys(BoardKey("race", "all"))
    listed = await parts.redis.call("ZRANGE", standings, 0, -1)
    bob = next(member for member in listed if member.endswith(b"bob"))
    await parts.redis.call("ZINCRBY", standings, 1, bob)
    assert await wrongs(parts, "boards") == ["boards_equal_totals: bob on race all"]
    await parts.redis.call("ZINCRBY", standings, -1, bob)
    await parts.redis.call("ZADD", standings, 1, "who")
    await parts.redis.call("HSET", members, "who", "1")
    assert await wrongs(parts, "boards") == ["boards_list_nobody_else: race all: 1 too many"]
    await parts.redis.call("ZREM", standings, "who")
    await parts.redis.call("HDEL", members, "who", "ann")
    (incomplete,) = await wrongs(parts, "boards")
    assert incomplete == "boards_are_complete: race all"
