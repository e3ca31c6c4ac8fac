"""Boards that are spread over several slots, on one Redis; on a cluster: tests/integration/redis/test_cluster.py."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from laurel_server.domain.board_configs import BoardConfig, BoardKind
from laurel_server.domain.boards import BoardKey, TiePolicy, Traits, Visibility
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.ledger import RankState, User
from laurel_server.domain.periods import PeriodType
from laurel_server.leaderboards import split
from laurel_server.leaderboards.reading import Ranks
from laurel_server.leaderboards.seating import Seat, Seating, seat
from laurel_server.leaderboards.split import Line, SplitBoard
from laurel_server.redis.keys import all_keys, board_keys, slot_names, slot_of, tie
from laurel_server.redis.node import RedisNode
from laurel_server.runtime.wiring import Parts
from tests.integration.leaderboards.test_administration import request
from tests.integration.users.orders import order as order_for
from tests.integration.wired import ALL, board_at, command, give, listed, running, wrongs

SLOTS = 5
USERS = [f"user-{number:03}" for number in range(120)]


async def configured(parts: Parts, board_id: str, **changes: object) -> BoardConfig:
    """Change a board."""
    config = replace(await parts.boards.board(board_id), **changes)  # type: ignore[arg-type]
    return await parts.boards.update(config, list(changes))


async def play(parts: Parts, dice: random.Random) -> dict[str, int]:
    """Award random users, many of them the same; returns their points, who reached them first before his equals."""
    points: dict[str, int] = {}
    for _ in range(6):
        chosen = dice.sample(USERS, 60)
        given = {user_id: dice.randint(1, 4) for user_id in chosen}
        answers = await parts.awards.award_batch([command(*each) for each in given.items()], None)
        assert not [answer for answer in answers if isinstance(answer, Exception)]
        for user_id, more in given.items():
            points[user_id] = points.pop(user_id, 0) + more
    return dict(sorted(points.items(), key=lambda each: -each[1]))


async def test_a_board_over_slots_is_the_board_it_was(parts: Parts) -> None:
    dice = random.Random(3)
    before = await play(parts, dice)
    assert await listed(parts) == list(before.items())
    config = await configured(parts, "global-all", slots=SLOTS)
    assert (config.slots, config.is_filled) == (SLOTS, True)
    assert await listed(parts) == list(before.items())
    sizes = [
        await parts.redis.call("ZCARD", board_keys(BoardKey("global", ALL), slot).standings)
        for slot in slot_names(SLOTS)
    ]
    assert sum(sizes) == len(before)
    assert min(sizes) > 0
    assert await wrongs(parts) == []


async def test_answers_lists_ranks_and_surroundings_agree(parts: Parts) -> None:
    await configured(parts, "global-all", slots=SLOTS)
    await play(parts, random.Random(4))
    order = await listed(parts)
    for user_id, more in (("user-007", 3), ("newcomer", 9), (order[-1][0], 500)):
        stood = next((rank for rank, line in enumerate(order, start=1) if line[0] == user_id), 0)
        tried = await parts.awards.award(command(user_id, more, validate_only=True), None)
        answer = await give(parts, user_id, more)
        order = await listed(parts)
        stands = next(rank for rank, line in enumerate(order, start=1) if line[0] == user_id)
        for each in (tried, answer):
            (told,) = [rank for rank in each.ranks if rank.board == BoardKey("global", ALL)]
            assert (told.previous_rank, told.rank, told.total) == (stood, stands, len(order))
        assert answer.rank_state is RankState.FRESH
    board = board_at(parts)
    lines, missing = await parts.queries.places(board, [*USERS, "nobody"])
    assert [line.user_id for line in lines] == [user for user, _ in order if user in USERS]
    assert "nobody" in missing
    numbers = await parts.queries.ranks(board, ["nobody", *(user for user, _ in order)])
    assert numbers == Ranks(len(order), list(range(len(order) + 1)), [0, *(score for _, score in order)])
    for position in (0, 1, 17, len(order) - 1):
        around = await parts.queries.surrounding(board, order[position][0], 4)
        near = order[max(0, position - 4) : position + 5]
        assert [(line.user_id, line.score) for line in around.lines] == near
        assert around.place.rank == position + 1
    assert await wrongs(parts) == []
    await parts.maintenance.rebuild(board)
    assert await listed(parts) == order


async def leaps(parts: Parts, user_id: str) -> None:
    await give(parts, user_id, 1000)


async def climbs(parts: Parts, user_id: str) -> None:
    await give(parts, user_id, 1)


async def hides(parts: Parts, user_id: str) -> None:
    await parts.people.set_visibility(order_for(user_id, "r-1"), Visibility.HIDDEN)


@pytest.mark.parametrize("move", [leaps, climbs, hides])
async def test_who_moves_while_he_is_looked_for_is_where_he_was(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, move: Callable[[Parts, str], Awaitable[None]]
) -> None:
    await configured(parts, "global-all", slots=SLOTS)
    await play(parts, random.Random(7))
    order = await listed(parts)
    user_id, run, looked = order[50][0], SplitBoard._run, asyncio.Event()

    async def moves_before(self: SplitBoard, name: str, slot: int, *args: str | bytes | int) -> Any:
        if name == "near" and slot == slot_of(user_id, SLOTS) and not looked.is_set():
            looked.set()
            await move(parts, user_id)
        return await run(self, name, slot, *args)

    monkeypatch.setattr(SplitBoard, "_run", moves_before)
    around = await parts.queries.surrounding(board_at(parts), user_id, 4)
    assert looked.is_set()
    assert [(line.user_id, line.score) for line in around.lines] == order[46:55]
    assert around.place.score == order[50][1]


async def test_who_is_hidden_leaves_and_a_shadow_user_sees_himself(parts: Parts) -> None:
    await configured(parts, "global-all", slots=SLOTS)
    for number, user_id in enumerate(("ann", "bob", "cleo", "dan")):
        await give(parts, user_id, 40 - number)
    await parts.people.set_visibility(order_for("bob", "r-1"), Visibility.HIDDEN)
    await parts.people.set_visibility(order_for("cleo", "r-2"), Visibility.SHADOW)
    assert await listed(parts) == [("ann", 40), ("dan", 37)]
    board = board_at(parts)
    with pytest.raises(LaurelError) as refused:
        await parts.queries.place(board, "bob")
    assert refused.value.reason is Reason.NOT_ON_BOARD
    assert (await parts.queries.place(board, "cleo")).rank == 2
    around = await parts.queries.surrounding(board, "cleo", 5)
    assert [line.user_id for line in around.lines] == ["ann", "cleo", "dan"]


async def test_fewer_slots_leave_nothing_behind(parts: Parts) -> None:
    await parts.profiles.upsert([User("ann", country="US")])
    await give(parts, "ann", 5)
    await configured(parts, "country-all", slots=4)
    assert await listed(parts, "country:US") == [("ann", 5)]
    await configured(parts, "country-all", slots=2)
    assert await listed(parts, "country:US") == [("ann", 5)]
    names = [name for slot in slot_names(4) for name in all_keys(BoardKey("country:US", ALL), slot)]
    assert await parts.redis.call("EXISTS", *names) == 0
    await parts.boards.delete("country-all", request())
    names = [name for slot in slot_names(2) for name in all_keys(BoardKey("country:US", ALL), slot)]
    assert await parts.redis.call("EXISTS", *names) == 0


async def test_a_board_taken_from_a_split_family_and_given_back_leaves_nothing_behind(parts: Parts) -> None:
    await parts.profiles.upsert([User("ann", country="US")])
    await give(parts, "ann", 5)
    await configured(parts, "country-all", slots=3)
    own = BoardConfig("us", BoardKind.POINTS, "country:US", PeriodType.ALL_TIME, slots=2)

    async def parts_of(slots: int) -> int:
        names = [name for slot in slot_names(slots) for name in board_keys(BoardKey("country:US", ALL), slot)]
        return int(await parts.redis.call("EXISTS", *names))

    assert await parts_of(3) > 0
    await parts.boards.create(own, request())
    assert await listed(parts, "country:US") == [("ann", 5)]
    assert await parts_of(3) == 0
    await parts.boards.delete("us", request())
    assert await listed(parts, "country:US") == [("ann", 5)]
    assert await parts_of(2) == 0


async def test_a_slot_that_is_lost_is_filled_again_and_never_read_as_a_short_list(parts: Parts) -> None:
    await configured(parts, "global-all", slots=SLOTS)
    await play(parts, random.Random(5))
    order = await listed(parts)
    await parts.redis.call("UNLINK", *all_keys(BoardKey("global", ALL), slot_names(SLOTS)[3]))
    while True:
        try:
            assert await listed(parts) == order
        except LaurelError as refused:
            assert refused.reason is Reason.BOARDS_REBUILDING  # noqa: PT017
        else:
            return


async def test_dense_ranks_are_not_split(parts: Parts) -> None:
    with pytest.raises(LaurelError) as refused:
        await configured(parts, "global-all", slots=2, tie_policy=TiePolicy.DENSE)
    assert (refused.value.reason, refused.value.field) == (Reason.INVALID_FIELD, "board.slots")


@pytest.mark.parametrize("levels", [1, 7, 100_000])
async def test_any_position_is_found_in_few_rounds(
    redis_url: str, levels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(split, "GATHERED", 2)
    dice, traits, board = random.Random(levels), Traits(slots=4), BoardKey("global", ALL)
    redis, lines = RedisNode(redis_url, 5), []
    seating = Seating(traits)
    for number in range(1, 3001):
        score, user_id = dice.randint(1, levels), f"user-{number}"
        lines.append(Line(score, f"{tie(number)}{user_id}"))
        seating.on.append(Seat(user_id, number, str(score), f"{tie(number)}{number}"))
    await seat(redis, {board: seating}, {board}, ranked=False, tell=False)
    ordered, whole = sorted(lines, reverse=True), SplitBoard(redis, board, traits)
    for position in (0, 1, 2, 9, 499, 999, 1500, 2998, 2999):
        assert await whole.line_at(position) == ordered[position]
    assert await whole.line_at(3000) is None
    await redis.close()


async def test_a_server_that_has_not_heard_of_the_slots_reads_no_short_list(
    parts: Parts, ledger_dsn: str, redis_url: str
) -> None:
    await play(parts, random.Random(6))
    order = await listed(parts)
    async with running(ledger_dsn, redis_url) as other:
        for slots in (SLOTS, 2, 1):
            assert await listed(other) == order
            assert (await configured(parts, "global-all", slots=slots)).is_filled
            while True:
                try:
                    assert await listed(other) == order
                except LaurelError as refused:
                    assert refused.reason is Reason.BOARDS_REBUILDING  # noqa: PT017
                    await asyncio.sleep(0.01)
                else:
                    break
            assert await listed(parts) == order
