import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from laurel.leaderboard.v1.leaderboard_service_pb2 import (
    BatchGetRanksRequest,
    CountByScoreRequest,
    GetLeaderboardRequest,
    GetLeaderboardResponse,
    GetRankRequest,
    GetSurroundingRequest,
    ListByScoreRequest,
    ListByScoreResponse,
    ListUserRanksRequest,
)
from laurel.type.v1 import board_pb2
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.periods import PeriodType
from laurel_server.domain.views import Page
from tests.integration.rpc.harness import Served, refused, serving

PERIOD_END = datetime(2026, 11, 30, tzinfo=UTC)
WEEKLY = board_pb2.BoardRef(scope="tier:gold", period=board_pb2.PERIOD_WEEKLY)


async def top(served: Served, **fields: object) -> GetLeaderboardResponse:
    return await served.leaderboards.GetLeaderboard(GetLeaderboardRequest(**fields))  # type: ignore[arg-type]


def ranks(response: GetLeaderboardResponse) -> list[int]:
    return [entry.rank for entry in response.entries]


async def test_the_first_page(served: Served) -> None:
    response = await top(served, board=WEEKLY)
    assert ranks(response) == list(range(1, 101))
    assert response.total_participants == 250
    assert response.board.period_id == "2026-W48"
    assert served.boards.asked == [("tier:gold", PeriodType.WEEKLY, "")]
    assert not response.HasField("user_entry")


@pytest.mark.parametrize(
    ("size", "lengths"),
    [(0, [100, 100, 50]), (1, [1] * 5), (250, [250]), (200, [200, 50]), (5000, [250])],
)
async def test_pages_of_a_board(served: Served, size: int, lengths: list[int]) -> None:
    if size == 1:
        served.boards.members = 5
    pages, token = [], ""
    while True:
        response = await top(served, page_size=size, page_token=token)
        pages.append(ranks(response))
        token = response.next_page_token
        if not token:
            break
    assert [len(page) for page in pages] == lengths
    assert sum(pages, []) == list(range(1, sum(lengths) + 1))  # noqa: RUF017 - a few short lists


async def test_an_empty_board_is_an_empty_list(served: Served) -> None:
    served.boards.members = 0
    response = await top(served)
    assert (ranks(response), response.total_participants, response.next_page_token) == ([], 0, "")


async def test_a_token_of_another_board_is_refused(served: Served) -> None:
    first = await top(served, page_size=10)
    with refused(Reason.PAGE_TOKEN_INVALID):
        await top(served, board=WEEKLY, page_token=first.next_page_token)


async def test_a_token_is_refused_once_the_period_is_over(served: Served) -> None:
    first = await top(served, board=WEEKLY, page_size=10)
    served.boards.period_id = "2026-W49"
    with refused(Reason.PAGE_TOKEN_INVALID):
        await top(served, board=WEEKLY, page_token=first.next_page_token)


async def test_a_token_goes_on_in_its_period_if_that_is_named(served: Served) -> None:
    first = await top(served, board=WEEKLY, page_size=10)
    served.boards.period_id = "2026-W49"
    named = board_pb2.BoardRef(scope="tier:gold", period_id="2026-W48")
    second = await top(served, board=named, page_size=10, page_token=first.next_page_token)
    assert ranks(second) == list(range(11, 21))


async def test_a_repeated_look_comes_from_the_cache(served: Served) -> None:
    responses = [await top(served) for _ in range(10)]
    assert served.boards.pages_read == 1
    assert all(response == responses[0] for response in responses)


async def test_a_repeated_look_does_not_even_reach_the_servicer(served: Served) -> None:
    for _ in range(10):
        await top(served)
    assert len(served.boards.asked) == 1
    for _ in range(10):
        await top(served, user_id="user:1")
    assert len(served.boards.asked) == 11
    assert served.boards.pages_read == 1


async def test_a_known_answer_needs_no_room(served: Served) -> None:
    response = await top(served)
    served.admission.drain()
    assert await top(served) == response
    with refused(Reason.DRAINING):
        await top(served, page_size=3)


async def test_an_answer_ends_with_its_period() -> None:
    served = Served()
    served.boards.read_at = PERIOD_END - timedelta(milliseconds=50)
    async with serving(served):
        assert (await top(served)).board.period_id == "2026-W48"
        served.boards.period_id = "2026-W49"
        await asyncio.sleep(0.06)
        assert (await top(served)).board.period_id == "2026-W49"


async def test_a_period_that_ends_while_its_page_is_read_leaves_no_answer_behind(served: Served) -> None:
    served.boards.read_at = PERIOD_END
    assert (await top(served)).board.period_id == "2026-W48"
    served.boards.period_id = "2026-W49"
    assert (await top(served)).board.period_id == "2026-W49"


async def test_under_a_test_clock_the_cache_follows_every_change_of_the_period() -> None:
    async with serving(Served(clock_runs=False)) as served:
        for period_id in ("2026-W48", "2026-W49", "2026-W48"):
            served.boards.period_id = period_id
            assert (await top(served)).board.period_id == period_id
        assert served.boards.pages_read == 2


async def test_a_cached_page_is_read_again_after_its_age() -> None:
    async with serving(Served(page_max_age=0.05)) as served:
        await top(served)
        await asyncio.sleep(0.06)
        served.boards.members = 7
        assert (await top(served)).total_participants == 7


async def test_a_board_that_is_being_rebuilt_says_so_at_once(served: Served) -> None:
    async def rebuilding(*asked: object) -> Page:
        raise LaurelError(Reason.BOARDS_REBUILDING, f"{asked}")

    page = served.boards.page
    served.boards.page = rebuilding  # type: ignore[assignment, method-assign]
    with refused(Reason.BOARDS_REBUILDING):
        await top(served)
    served.boards.page = page  # type: ignore[method-assign]
    assert len(ranks(await top(served))) == 100


@pytest.mark.parametrize("token_of", ["", "second page"])
async def test_a_user_on_the_page_is_marked(served: Served, token_of: str) -> None:
    token = (await top(served)).next_page_token if token_of else ""
    rank = 117 if token_of else 17
    response = await top(served, user_id=f"user:{rank}", page_token=token)
    assert [entry.rank for entry in response.entries if entry.is_current_user] == [rank]
    assert response.user_entry == response.entries[16]


async def test_a_user_further_down_gets_his_own_line(served: Served) -> None:
    response = await top(served, user_id="user:240")
    assert (response.user_entry.rank, response.user_entry.is_current_user) == (240, True)
    assert not any(entry.is_current_user for entry in response.entries)


async def test_a_user_who_is_not_on_the_board_has_no_line(served: Served) -> None:
    response = await top(served, user_id="user:251")
    assert not response.HasField("user_entry")
    assert len(response.entries) == 100


async def test_an_unknown_user_has_no_page(served: Served) -> None:
    with refused(Reason.USER_NOT_FOUND):
        await top(served, user_id="stranger")


def score(rank: int) -> int:
    return 1_000_000 - rank


async def by_score(served: Served, **fields: object) -> ListByScoreResponse:
    return await served.leaderboards.ListByScore(ListByScoreRequest(**fields))  # type: ignore[arg-type]


async def test_users_between_two_scores(served: Served) -> None:
    bounds = {"min_score": score(60), "max_score": score(21)}
    first = await by_score(served, **bounds, page_size=30)
    second = await by_score(served, **bounds, page_size=30, page_token=first.next_page_token)
    assert [entry.rank for entry in (*first.entries, *second.entries)] == list(range(21, 61))
    assert second.next_page_token == ""
    assert (await served.leaderboards.CountByScore(CountByScoreRequest(**bounds))).count == 40  # type: ignore[arg-type]


async def test_a_bound_of_zero_is_a_bound_and_no_bound_is_none(served: Served) -> None:
    assert len((await by_score(served, max_score=0)).entries) == 0
    assert len((await by_score(served, min_score=0, page_size=1000)).entries) == 250
    count = served.leaderboards.CountByScore
    assert (await count(CountByScoreRequest(max_score=0))).count == 0
    assert (await count(CountByScoreRequest())).count == 250


async def test_bounds_the_wrong_way_round_are_refused(served: Served) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        await by_score(served, min_score=2, max_score=1)
    assert refusal.fields.keys() == {"min_score"}


async def test_a_token_of_other_bounds_is_refused(served: Served) -> None:
    first = await by_score(served, min_score=0, page_size=10)
    with refused(Reason.PAGE_TOKEN_INVALID):
        await by_score(served, page_size=10, page_token=first.next_page_token)


async def test_one_user_s_mark_is_not_seen_by_others(served: Served) -> None:
    await top(served, user_id="user:1")
    assert not any(entry.is_current_user for entry in (await top(served)).entries)
    assert served.boards.pages_read == 1


async def test_a_rank(served: Served) -> None:
    served.boards.members = 125_000
    response = await served.leaderboards.GetRank(GetRankRequest(user_id="user:16"))
    assert (response.rank.rank, response.rank.previous_rank, response.rank.total) == (16, 16, 125_000)
    assert (response.percentile, response.top_percent) == (99.99, 0.01)


@pytest.mark.parametrize(
    ("user_id", "reason"), [("user:251", Reason.NOT_ON_BOARD), ("stranger", Reason.USER_NOT_FOUND)]
)
async def test_no_rank(served: Served, user_id: str, reason: Reason) -> None:
    with refused(reason):
        await served.leaderboards.GetRank(GetRankRequest(user_id=user_id))
    with refused(reason):
        await served.leaderboards.GetSurrounding(GetSurroundingRequest(user_id=user_id))


async def test_many_ranks(served: Served) -> None:
    asked = ["user:9", "user:300", "user:3", "user:9", "user:299"]
    response = await served.leaderboards.BatchGetRanks(BatchGetRanksRequest(user_ids=asked))
    assert [entry.rank for entry in response.entries] == [3, 9]
    assert response.missing_user_ids == ["user:300", "user:299"]


async def test_the_ranks_of_a_user(served: Served) -> None:
    response = await served.leaderboards.ListUserRanks(ListUserRanksRequest(user_id="user:4"))
    assert [(rank.board.scope, rank.board.period_id) for rank in response.ranks] == [
        ("global", "all"),
        ("country:US", "2026-W48"),
    ]
    assert {rank.rank for rank in response.ranks} == {4}


@pytest.mark.parametrize(
    ("rank", "range_", "first", "last"), [(3, 5, 1, 8), (100, 0, 95, 105), (250, 100, 150, 250)]
)
async def test_what_is_around_a_user(served: Served, rank: int, range_: int, first: int, last: int) -> None:
    response = await served.leaderboards.GetSurrounding(
        GetSurroundingRequest(user_id=f"user:{rank}", range=range_)
    )
    assert [entry.rank for entry in response.entries] == list(range(first, last + 1))
    assert [entry.rank for entry in response.entries if entry.is_current_user] == [rank]
    assert (response.rank, response.total_participants) == (rank, 250)
    assert (response.next_rank.rank, response.next_rank.points_needed) == (rank - 1, 1)
    assert response.percentile + response.top_percent == 100


async def test_nothing_is_better_than_the_first_rank(served: Served) -> None:
    response = await served.leaderboards.GetSurrounding(GetSurroundingRequest(user_id="user:1"))
    assert not response.HasField("next_rank")
    assert not response.HasField("next_milestone")


@pytest.mark.parametrize("range_", [-1, 101])
async def test_a_range_out_of_bounds_is_refused(served: Served, range_: int) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.leaderboards.GetSurrounding(GetSurroundingRequest(user_id="u", range=range_))
    assert refusal.fields.keys() == {"range"}
