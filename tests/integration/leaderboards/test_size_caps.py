import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from itertools import count, product
from typing import Any

import pytest

from laurel_server.domain.board_configs import ScoreOperator
from laurel_server.domain.boards import SortOrder, TiePolicy, Visibility
from laurel_server.domain.ledger import RankState
from laurel_server.domain.scores import ScoreAnswer
from laurel_server.postgres import scores
from laurel_server.runtime.wiring import Parts
from tests.integration.leaderboards.scoring import board, command, kept, lines, remove, report, see
from tests.integration.wired import give, keys_of, running, until, wrongs
from tests.oracle.board import BruteForceBoard


async def test_a_size_cap_keeps_the_best(parts: Parts) -> None:
    await board(parts, max_entries=2, operator=ScoreOperator.LAST)
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


@pytest.mark.parametrize(("operator", "order"), list(product(ScoreOperator, SortOrder)), ids=str)
async def test_batches_on_a_capped_board_do_what_their_scores_would_do_one_by_one(
    parts: Parts, operator: ScoreOperator, order: SortOrder
) -> None:
    dice = random.Random(f"{operator} {order}")
    await board(parts, max_entries=5, operator=operator, sort_order=order)
    users, hidden = [f"user-{number:02}" for number in range(16)], {"user-00", "user-01"}
    for user_id in users:
        await give(parts, user_id)
    for user_id in hidden:
        await see(parts, user_id, Visibility.HIDDEN)
    model = BruteForceBoard((await parts.queries.find("race", None, "")).traits)
    unlisted = BruteForceBoard(model.traits)  # their scores take nobody's place
    moments = count(1)
    for size in (3, 40, 1, 25, 8):
        commands, expected = [], []
        for _ in range(size):
            user_id, moment = dice.choice(users), next(moments)
            of_user = unlisted if user_id in hidden else model
            if dice.random() < 0.1:
                commands.append(command(user_id, is_removal=True))
                expected.append(of_user.standings.pop(user_id, None) is not None)
                continue
            new = (dice.randint(-3, 3), dice.randint(-1, 1))
            commands.append(command(user_id, *new))
            expected.append(of_user.report(user_id, new, operator, moment, 0 if user_id in hidden else 5))
        answers = await parts.scores.do_batch(commands, None)
        assert [each.updated for each in answers if isinstance(each, ScoreAnswer)] == expected
        assert await kept(parts) == {*model.standings, *unlisted.standings}
        assert await lines(parts) == [tuple(row) for row in model.rows()]
    await parts.maintenance.rebuild(None)
    assert await lines(parts) == [tuple(row) for row in model.rows()]


async def test_what_a_batch_reads_of_a_capped_board_does_not_grow_with_the_board(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await board(parts, max_entries=200)
    await parts.scores.do_batch([command(f"user-{number}", number) for number in range(300)], None)
    read: list[int] = []
    real = scores.read_last

    async def counting(*args: Any) -> Any:
        last = await real(*args)
        read.append(len(last))
        return last

    monkeypatch.setattr(scores, "read_last", counting)
    await parts.scores.do_batch([command(f"new-{number}", 1000) for number in range(5)], None)
    assert read == [6]
    assert (await parts.queries.page(await parts.queries.find("race", None, ""), "", 1)).total == 200
    assert await kept(parts) == {
        *(f"user-{number}" for number in range(105, 300)),
        *(f"new-{number}" for number in range(5)),
    }


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


class Pause:
    """Stops a batch of scores before or after one of its statements, once, until the test lets it go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, statement: str, *, after: bool) -> None:
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()
        real: Callable[..., Any] = getattr(scores, statement)

        async def pausing(*args: Any) -> Any:
            result = await real(*args) if after else None
            if not self.reached.is_set():
                self.reached.set()
                await self.go_on.wait()
            return result if after else await real(*args)

        monkeypatch.setattr(scores, statement, pausing)


async def show_again(other: Parts, user_id: str) -> "asyncio.Task[None]":
    """Show a user again; return when he is on the board, while the move still waits for its turn to hold the cap."""
    showing = asyncio.create_task(see(other, user_id, Visibility.PUBLIC))

    async def is_on_the_board() -> bool:
        return bool(await other.redis.call("HEXISTS", keys_of("race")[1], user_id))

    await until(is_on_the_board, f"{user_id} is on the board")
    return showing


async def full_board(parts: Parts) -> None:
    """Make a board that has room for two, ann with 7 and bob with 9."""
    await board(parts, max_entries=2)
    for user_id, score in {"ann": 7, "bob": 9}.items():
        await report(parts, user_id, score)


async def drop_who_moves(parts: Parts, other: Parts, pause: Pause) -> None:
    """Have one server drop ann for dan while another hides her and shows her again."""
    update = asyncio.create_task(report(parts, "dan", 10))
    await pause.reached.wait()
    await see(other, "ann", Visibility.HIDDEN)
    showing = await show_again(other, "ann")
    pause.go_on.set()
    await asyncio.gather(update, showing)


async def test_who_is_shown_again_while_another_server_is_about_to_drop_him_is_off(
    parts: Parts, ledger_dsn: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await board(parts, max_entries=2)
    await report(parts, "ann", 7)
    await see(parts, "ann", Visibility.HIDDEN)
    for user_id, score in {"bob": 9, "cleo": 8}.items():
        await report(parts, user_id, score)
    async with running(ledger_dsn, redis_url) as other:
        pause = Pause(monkeypatch, "read_last", after=False)
        update = asyncio.create_task(report(parts, "bob", 10))
        await pause.reached.wait()
        showing = await show_again(other, "ann")
        pause.go_on.set()
        await asyncio.gather(update, showing)
    assert await kept(parts) == {"bob", "cleo"}
    assert await lines(parts) == [(1, "bob", 10, 0), (2, "cleo", 8, 0)]
    assert await wrongs(parts) == []


async def test_who_moves_between_his_drop_and_its_commit_is_off(
    parts: Parts, ledger_dsn: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await full_board(parts)
    async with running(ledger_dsn, redis_url) as other:
        pause = Pause(monkeypatch, "write", after=True)
        await drop_who_moves(parts, other, pause)
    assert await kept(parts) == {"bob", "dan"}
    assert await lines(parts) == [(1, "dan", 10, 0), (2, "bob", 9, 0)]
    assert await wrongs(parts) == []
    assert (await report(parts, "ann", 11)).rank.rank == 1  # who comes back is on the board again
    assert [user_id for _, user_id, _, _ in await lines(parts)] == ["ann", "dan"]


async def test_repair_takes_off_whom_a_server_dropped_that_died_before_it_could(
    parts: Parts, ledger_dsn: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await full_board(parts)
    async with running(ledger_dsn, redis_url) as other:
        pause = Pause(monkeypatch, "write", after=True)
        monkeypatch.setattr(parts.scores, "_seat", _die)
        await drop_who_moves(parts, other, pause)

        async def is_repaired() -> bool:
            return {user_id for _, user_id, _, _ in await lines(other)} == {"bob", "dan"}

        await until(is_repaired, "ann is off the board, and dan on it")
        assert await wrongs(other) == []


async def _die(*_: object) -> dict[object, object]:
    return {}
