import asyncio
from contextlib import suppress
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from laurel_server.domain.board_configs import BoardConfig, BoardKind, from_family
from laurel_server.domain.boards import DEFAULT_FAMILIES, BoardKey, TiePolicy
from laurel_server.domain.commands import RequestKey
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.ledger import RankState, User
from laurel_server.domain.periods import PeriodType
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import ALL, MONTH, board_at, give, listed, running, until, wrongs

_numbers = count()


def request(request_id: str = "", body: str = "") -> RequestKey:
    """Return a request, a new one unless it is named."""
    name = request_id or f"request {next(_numbers)}"
    return RequestKey("tests", name, body.encode().ljust(16)[:16])


def points_board(board_id: str, scope: str, period_type: PeriodType, **more: Any) -> BoardConfig:
    return BoardConfig(board_id, BoardKind.POINTS, scope, period_type, **more)


async def refusal(work: Any) -> Reason:
    with pytest.raises(LaurelError) as caught:
        await work
    return caught.value.reason


async def live(parts: Parts, user_id: str, country: str) -> None:
    await parts.profiles.upsert([User(user_id, country=country)])


async def test_a_new_ledger_has_the_default_boards(parts: Parts) -> None:
    await give(parts, "ann", 1)
    boards = [replace(board, board_no=0) for board in await parts.boards.boards()]
    assert boards == sorted(map(from_family, DEFAULT_FAMILIES), key=lambda board: board.board_id)


async def test_a_new_board_shows_what_the_ledger_has(parts: Parts) -> None:
    await live(parts, "ann", "US")
    await give(parts, "ann", 20)
    await give(parts, "bob", 30)
    for board_id, scope, period_type, period_id, expected in [
        ("q", "global", PeriodType.QUARTERLY, "2026-Q4", [("bob", 30), ("ann", 20)]),
        ("y", "global", PeriodType.YEARLY, "2026", [("bob", 30), ("ann", 20)]),
        ("us", "country:US", PeriodType.DAILY, "2026-11-25", [("ann", 20)]),
        ("c", "country:*", PeriodType.MONTHLY, MONTH, [("ann", 20)]),
    ]:
        with pytest.raises(LaurelError):
            parts.queries.resolve(scope, period_type, "")
        created = await parts.boards.create(points_board(board_id, scope, period_type), request())
        assert created.is_filled
        assert await listed(parts, scope.replace("*", "US"), period_id) == expected
    answer = await give(parts, "ann", 20)
    assert answer.rank_state is RankState.FRESH
    assert {rank.board for rank in answer.ranks} >= {
        BoardKey("global", "2026"),
        BoardKey("country:US", MONTH),
    }
    assert await listed(parts, period_id="2026-Q4") == [("ann", 40), ("bob", 30)]
    assert await wrongs(parts) == []


async def test_a_board_is_filled_while_awards_go_on(parts: Parts) -> None:
    for number in range(40):
        await live(parts, f"user-{number}", ("US", "DE", "")[number % 3])
        await give(parts, f"user-{number}", number + 1)

    async def award_on() -> None:
        for number in range(60):
            answer = await give(parts, f"user-{number}", 100)
            assert answer.rank_state is RankState.FRESH

    awarding = asyncio.create_task(award_on())
    await parts.boards.create(points_board("y", "global", PeriodType.YEARLY), request())
    await parts.boards.create(points_board("c", "country:*", PeriodType.QUARTERLY), request())
    await awarding
    totals = {f"user-{number}": (number + 101 if number < 40 else 100) for number in range(60)}
    assert dict(await listed(parts, period_id="2026")) == totals
    assert len(await listed(parts, "country:US", "2026-Q4")) == 14
    assert await wrongs(parts) == []


async def test_a_board_that_is_being_filled_says_so_and_repair_finishes_it(parts: Parts) -> None:
    await give(parts, "ann", 20)
    fill, parts.boards._rebuild.fill_new = parts.boards._rebuild.fill_new, _cut_off  # type: ignore[assignment, method-assign]
    await parts.boards.create(points_board("y", "global", PeriodType.YEARLY), request())
    board = board_at(parts, period_id="2026")
    assert await refusal(parts.queries.page(board, "", 10)) is Reason.BOARDS_REBUILDING
    answer = await give(parts, "ann", 5)
    assert answer.rank_state is RankState.FRESH
    assert board.key not in {rank.board for rank in answer.ranks}
    parts.boards._rebuild.fill_new = fill  # type: ignore[method-assign]

    async def is_filled() -> bool:
        with suppress(LaurelError):
            assert [line.score for line in (await parts.queries.page(board, "", 10)).lines] == [25]
            return True
        return False

    await until(is_filled, "repair fills the board")


async def _cut_off() -> None:
    raise LaurelError(Reason.LEDGER_UNAVAILABLE, "cut off")


async def test_ids_and_places_are_taken_once(parts: Parts) -> None:
    assert (
        await refusal(
            parts.boards.create(points_board("global-daily", "global", PeriodType.YEARLY), request())
        )
        is Reason.BOARD_EXISTS
    )
    assert (
        await refusal(parts.boards.create(points_board("other", "global", PeriodType.DAILY), request()))
        is Reason.BOARD_EXISTS
    )


async def test_a_request_is_answered_once(parts: Parts) -> None:
    config, first = points_board("y", "global", PeriodType.YEARLY), request("first")
    assert await parts.boards.create(config, first) == await parts.boards.create(config, first)
    assert (
        await refusal(parts.boards.create(config, request("first", "other"))) is Reason.IDEMPOTENCY_CONFLICT
    )
    taken = request("taken")
    assert await refusal(parts.boards.create(config, taken)) is Reason.BOARD_EXISTS
    await parts.boards.delete("y", request("delete"))
    await parts.boards.delete("y", request("delete"))
    assert await refusal(parts.boards.create(config, taken)) is Reason.BOARD_EXISTS
    assert (await parts.boards.create(config, request("first"))).board_id == config.board_id
    assert await refusal(parts.boards.board(config.board_id)) is Reason.BOARD_NOT_FOUND


async def test_a_deleted_board_is_gone_and_comes_back_with_what_the_ledger_has(parts: Parts) -> None:
    await give(parts, "ann", 20)
    (board,) = [each for each in await parts.boards.boards() if each.board_id == "global-monthly"]
    await parts.boards.delete("global-monthly", request())
    assert await refusal(parts.queries.find("global", PeriodType.MONTHLY, "")) is Reason.BOARD_NOT_FOUND
    assert await refusal(parts.boards.delete("global-monthly", request())) is Reason.BOARD_NOT_FOUND
    answer = await give(parts, "ann", 1)
    assert BoardKey("global", MONTH) not in {rank.board for rank in answer.ranks}
    assert not await parts.redis.call("KEYS", "*monthly*")
    await parts.boards.create(board, request())
    assert await listed(parts, period_id=MONTH) == [("ann", 21)]
    assert BoardKey("global", MONTH) in {rank.board for rank in (await give(parts, "bob", 1)).ranks}
    assert await wrongs(parts) == []


async def test_what_is_fixed_cannot_be_changed_and_what_is_masked_changes(parts: Parts) -> None:
    wanted = points_board(
        "global-all", "global", PeriodType.DAILY, display_name="Ever", tie_policy=TiePolicy.DENSE
    )
    assert await refusal(parts.boards.update(wanted, ["period_type"])) is Reason.INVALID_FIELD
    changed = await parts.boards.update(wanted, ["display_name"])
    assert (changed.display_name, changed.tie_policy) == ("Ever", TiePolicy.EARLIEST_FIRST)
    assert await refusal(parts.boards.update(replace(wanted, board_id="none"), [])) is Reason.BOARD_NOT_FOUND


@pytest.mark.parametrize(
    ("policy", "ranks"), [(TiePolicy.COMPETITION, [1, 1, 3, 4]), (TiePolicy.DENSE, [1, 1, 2, 3])]
)
async def test_another_tie_policy_ranks_anew(parts: Parts, policy: TiePolicy, ranks: list[int]) -> None:
    for user_id, points in {"ann": 30, "bob": 30, "cleo": 20, "dan": 10}.items():
        await give(parts, user_id, points)
    wanted = points_board("global-all", "global", PeriodType.ALL_TIME, tie_policy=policy)
    assert (await parts.boards.update(wanted, ["tie_policy"])).is_filled
    board = board_at(parts)
    assert [line.rank for line in (await parts.queries.page(board, "", 10)).lines] == ranks
    answer = await give(parts, "dan", 10)  # level with cleo
    moved = next(rank for rank in answer.ranks if rank.board == BoardKey("global", ALL))
    assert (moved.previous_rank, moved.rank) == (ranks[3], ranks[2])
    assert (await parts.queries.place(board, "cleo")).rank == ranks[2]
    await parts.maintenance.rebuild(None)
    assert (await parts.queries.place(board, "dan")).rank == ranks[2]
    assert await wrongs(parts) == []
    await parts.boards.update(replace(wanted, tie_policy=TiePolicy.EARLIEST_FIRST), ["tie_policy"])
    assert [line.rank for line in (await parts.queries.page(board_at(parts), "", 10)).lines] == [1, 2, 3, 4]


async def test_a_board_of_its_own_goes_before_its_family_and_gives_back(parts: Parts) -> None:
    for user_id, country in {"ann": "US", "bob": "US", "cleo": "DE"}.items():
        await live(parts, user_id, country)
        await give(parts, user_id, 10)
    own = points_board("us", "country:US", PeriodType.WEEKLY, tie_policy=TiePolicy.COMPETITION)
    await parts.boards.create(own, request())
    place = await parts.queries.place(board_at(parts, "country:US", "2026-W48"), "bob")
    assert (place.rank, place.total) == (1, 2)
    await parts.boards.delete("us", request())
    place = await parts.queries.place(board_at(parts, "country:US", "2026-W48"), "bob")
    assert (place.rank, place.total) == (2, 2)
    assert await listed(parts, "country:DE", "2026-W48") == [("cleo", 10)]
    assert await wrongs(parts) == []


async def test_other_servers_follow(parts: Parts, ledger_dsn: str, redis_url: str) -> None:
    async with running(ledger_dsn, redis_url) as other:
        await give(parts, "ann", 10)
        await parts.boards.create(points_board("y", "global", PeriodType.YEARLY), request())
        board = await other.queries.find("global", PeriodType.YEARLY, "")
        assert [line.user_id for line in (await other.queries.page(board, "", 10)).lines] == ["ann"]
        assert board.key in {rank.board for rank in (await give(other, "bob", 1)).ranks}
