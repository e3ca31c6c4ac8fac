"""The life of score boards and of those who are on them."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from laurel_server.domain.boards import BoardKey, SortOrder, TiePolicy, Visibility
from laurel_server.domain.commands import RequestKey
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.ledger import RankState
from laurel_server.domain.people import Order
from laurel_server.domain.scores import ScoreAnswer
from laurel_server.leaderboards import reading, verify
from laurel_server.leaderboards.registry import BoardRegistry
from laurel_server.postgres.pool import Pool
from laurel_server.postgres.standings import is_registered
from laurel_server.postgres.turns import REBUILD, Turns
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.keys import all_keys
from laurel_server.runtime.wiring import Parts
from tests.integration.leaderboards.scoring import board, command, lines, refusal, remove, report, see
from tests.integration.wired import give, rest_repair, until, wrongs


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


async def test_a_board_over_slots(parts: Parts) -> None:
    await board(parts, sort_order=SortOrder.ASCENDING, tie_policy=TiePolicy.COMPETITION, slots=3)
    for number in range(20):
        user_id = f"user-{number:02}"
        await report(parts, user_id, number // 3, number % 2, metadata={"of": user_id})
    before = await lines(parts)
    assert [(rank, score) for rank, _, score, _ in before[:4]] == [(1, 0), (1, 0), (3, 0), (4, 1)]
    config = await parts.boards.board("race")
    for slots in (2, 1, 4):
        changed = await parts.boards.update(replace(config, slots=slots), ["slots"])
        assert (changed.slots, changed.is_filled) == (slots, True)
        assert await lines(parts) == before
        found = await parts.queries.find("race", None, "")
        page = await parts.queries.page(found, "", 7)
        around = await parts.queries.surrounding(found, before[9][1], 2)
        assert [line.user_id for line in around.lines] == [user_id for _, user_id, _, _ in before[7:12]]
        for line in (*page.lines, *around.lines):
            assert dict(line.metadata) == {"of": line.user_id}
        assert await wrongs(parts, "boards") == []
    answer = await report(parts, "user-19", -1)
    assert (answer.rank.rank, answer.rank.previous_rank, answer.rank.score) == (1, before[-1][0], -1)
    assert await remove(parts, "user-19")
    await parts.boards.delete("race", RequestKey("tests", "delete", b""))
    await board(parts, slots=2)
    assert await lines(parts) == []


async def test_the_integrity_check_finds_what_is_wrong_on_a_score_board(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rest_repair(parts, monkeypatch)  # which would find some of it too
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


async def test_a_board_that_is_whole_again_after_a_moment_is_no_finding(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rest_repair(parts, monkeypatch)
    await board(parts)
    await report(parts, "ann", 10)
    members = all_keys(BoardKey("race", "all"))[1]
    place = await parts.redis.call("HGET", members, "ann")
    await parts.redis.call("HDEL", members, "ann")

    async def then_filled(redis: RedisConnection, key: BoardKey, slots: int) -> tuple[bool, int]:
        seen = await reading.look(redis, key, slots)
        if key.scope == "race":
            await parts.redis.call("HSET", members, "ann", place)
        return seen

    monkeypatch.setattr(verify, "look", then_filled)
    assert await wrongs(parts, "boards") == []


async def test_a_board_that_is_deleted_while_it_is_looked_at_is_no_finding(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await give(parts, "ann", 5)

    async def then_deleted(redis: RedisConnection, key: BoardKey, slots: int) -> tuple[bool, int]:
        seen = await reading.look(redis, key, slots)
        if key == BoardKey("tier:bronze", "all"):
            await parts.boards.delete("tier-all", RequestKey("tests", "delete", b""))
            return False, seen[1] + 1
        return seen

    monkeypatch.setattr(verify, "look", then_deleted)
    assert await wrongs(parts, "boards") == []


async def test_a_board_that_is_filled_anew_keeps_no_rank_on_another_from_being_told(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    for board_id in ("race", "dash"):
        await board(parts, board_id)
    race = await report(parts, "ann", 10)
    await rest_repair(parts, monkeypatch)  # which would find what is lost

    async def states() -> list[tuple[RankState, int]]:
        commands = [command("bob", 7, scope=board_id) for board_id in ("race", "dash")]
        answers = await parts.scores.do_batch([*commands, command("ann", 9)], None)
        return [(each.rank_state, each.rank.rank) for each in answers if isinstance(each, ScoreAnswer)]

    pending = [(RankState.PENDING, 0), (RankState.FRESH, 1), (RankState.PENDING, 0)]
    fresh = [(RankState.FRESH, 2), (RankState.FRESH, 1), (RankState.FRESH, 1)]
    await parts.redis.call("UNLINK", *all_keys(race.rank.board))
    assert await states() == pending
    await parts.maintenance.rebuild(None)
    assert await states() == fresh
    async with Turns(parts.pool, REBUILD).turn():  # nobody fills a board meanwhile
        config = replace(await parts.boards.board("race"), tie_policy=TiePolicy.DENSE)
        assert not (await parts.boards.update(config, {"tie_policy"})).is_filled
        assert await states() == pending
    await parts.maintenance.rebuild(None)
    assert await states() == fresh


async def test_what_was_found_of_a_board_while_it_was_deleted_is_not_kept(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is created again would look as if it were lost, for as long as nobody has a score on it."""
    race = BoardKey(await board(parts), "all")
    await report(parts, "ann", 10)
    looking = BoardRegistry(parts.pool, parts.maintenance.catalogue)
    look = "laurel_server.leaderboards.registry.is_registered"

    async def deleted_meanwhile(pool: Pool, wanted: BoardKey) -> bool:
        found = await is_registered(pool, wanted)
        monkeypatch.setattr(look, is_registered)
        await parts.boards.delete("race", RequestKey("tests", "delete", b""))
        await board(parts)
        assert not await looking.has(race)
        return found

    monkeypatch.setattr(look, deleted_meanwhile)
    await looking.has(race)
    assert not await looking.has(race)
