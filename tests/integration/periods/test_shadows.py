"""Shadow users on boards of the past: each sees himself where he would have stood, and nobody else sees him."""

from datetime import UTC, datetime, timedelta

import pytest

from laurel_server.domain.board_configs import BoardConfig
from laurel_server.domain.boards import TiePolicy, Visibility
from laurel_server.domain.closing import PeriodState
from laurel_server.domain.errors import Reason
from laurel_server.domain.ledger import User
from laurel_server.domain.people import Order
from laurel_server.domain.views import Board
from laurel_server.runtime.wiring import Parts
from tests.integration.leaderboards.scoring import board, lines, refusal, report, see
from tests.integration.wired import DAY, WEEK, board_at, give, listed, run_job, wrongs

MIDNIGHT = datetime(2026, 11, 26, tzinfo=UTC)
MONDAY = datetime(2026, 11, 30, tzinfo=UTC)
GRACE = timedelta(hours=1)
TWO_WEEKS = timedelta(days=14)
POINTS = (("ann", 40), ("bob", 30), ("cid", 30), ("dot", 20), ("eve", 10))
HIDDEN, SHADOW, PUBLIC = Visibility.HIDDEN, Visibility.SHADOW, Visibility.PUBLIC


async def go_to(parts: Parts, moment: datetime) -> None:
    assert parts.clock is not None
    await parts.clock.set(moment)
    await run_job(parts, "close_periods")


async def compete(parts: Parts) -> None:
    await parts.profiles.upsert([User(name, country="US") for name, _ in POINTS])
    for name, points in POINTS:
        await give(parts, name, points)


async def configure(parts: Parts, board_id: str, **changes: object) -> None:
    config = await parts.boards.board(board_id)
    fields = {name: getattr(config, name) for name in config.__slots__} | changes
    await parts.boards.update(BoardConfig(**fields), list(changes))


async def own(parts: Parts, on: Board, user_id: str) -> tuple[int, int, int]:
    """Return rank, score and total as the user sees them, which all reads of his own place agree on."""
    place = await parts.queries.place(on, user_id)
    around = await parts.queries.surrounding(on, user_id, 100)
    assert around.place == place
    (mine,) = [line for line in around.lines if line.user_id == user_id]
    assert (mine.rank, mine.score) == (place.rank, place.score)
    read = await parts.queries.own_ranks(on, [user_id])
    assert read.ranks[user_id] == (place.rank, place.score)
    assert user_id in read.shadows
    return place.rank, place.score, place.total


async def unseen(parts: Parts, on: Board, user_id: str) -> None:
    """Check that nobody else sees him, and that everybody's rank is his place in the list."""
    page = await parts.queries.page(on, "", 1000)
    ranks = {line.user_id: line.rank for line in page.lines}
    assert user_id not in ranks
    assert list(ranks.values()) == list(range(1, page.total + 1))
    assert {name: (await parts.queries.place(on, name)).rank for name in ranks} == ranks
    found, missing = await parts.queries.places(on, [*ranks, user_id])
    assert ({line.user_id: line.rank for line in found}, missing) == (ranks, [user_id])
    assert await parts.queries.ranks_of(on, [user_id]) == (len(ranks), {})


@pytest.mark.parametrize("slots", [1, 3])
async def test_he_sees_himself_when_the_period_is_closed_and_archived(parts: Parts, slots: int) -> None:
    for family in ("global-weekly", "country-weekly", "tier-weekly"):
        await configure(parts, family, slots=slots)
    await compete(parts)
    await see(parts, "cid", SHADOW)
    boards = [board_at(parts, scope, WEEK) for scope in ("global", "country:US", "tier:bronze")]
    assert {await own(parts, each, "cid") for each in boards} == {(3, 30, 5)}
    for moment in (MONDAY, MONDAY + GRACE, MONDAY + TWO_WEEKS):
        await go_to(parts, moment)
        for each in boards:
            assert await own(parts, each, "cid") == (3, 30, 5)
            await unseen(parts, each, "cid")
    assert await wrongs(parts) == []


async def test_on_a_closed_board_he_stays_what_he_was_then(parts: Parts) -> None:
    await compete(parts)
    await see(parts, "bob", SHADOW)
    await see(parts, "dot", HIDDEN)
    await go_to(parts, MIDNIGHT + GRACE)
    on = board_at(parts, period_id=DAY)
    for visibility in (PUBLIC, HIDDEN, SHADOW):
        for name in ("bob", "dot", "ann"):
            await see(parts, name, visibility)
        assert await own(parts, on, "bob") == (2, 30, 4)
        assert await refusal(parts.queries.place(on, "dot")) is Reason.NOT_ON_BOARD
        assert await refusal(parts.queries.surrounding(on, "dot", 5)) is Reason.NOT_ON_BOARD
        assert await listed(parts, period_id=DAY) == [("ann", 40), ("cid", 30), ("eve", 10)]
        await unseen(parts, on, "bob")


async def test_a_total_that_an_award_has_moved_out_of_the_way_before_the_close_counts_too(
    parts: Parts,
) -> None:
    await compete(parts)
    await see(parts, "cid", SHADOW)
    assert parts.clock is not None
    await parts.clock.set(MIDNIGHT + timedelta(hours=2))
    await give(parts, "cid", 500)
    on = board_at(parts, period_id=DAY)
    assert await own(parts, on, "cid") == (3, 30, 5)
    await go_to(parts, MIDNIGHT + timedelta(hours=2))
    assert await own(parts, on, "cid") == (3, 30, 5)
    await unseen(parts, on, "cid")


@pytest.mark.parametrize(
    ("policy", "rank"), [(TiePolicy.EARLIEST_FIRST, 3), (TiePolicy.COMPETITION, 2), (TiePolicy.DENSE, 2)]
)
async def test_he_stands_as_the_board_ranks_equals(parts: Parts, policy: TiePolicy, rank: int) -> None:
    await configure(parts, "global-daily", tie_policy=policy)
    await compete(parts)
    await see(parts, "cid", SHADOW)
    await go_to(parts, MIDNIGHT + GRACE)
    assert await own(parts, board_at(parts, period_id=DAY), "cid") == (rank, 30, 5)


@pytest.mark.parametrize(
    ("before", "period_id", "after"),
    [("", "all", "0 0 * * *"), ("0 0 * * *", "2026-11-25T00:00Z", "0 0 1 1 *")],
    ids=["none", "others"],
)
async def test_he_sees_himself_on_what_was_over_when_a_board_was_given_resets(
    parts: Parts, before: str, period_id: str, after: str
) -> None:
    await board(parts, reset_cron=before)
    for name, score in POINTS:
        await report(parts, name, score)
    await see(parts, "bob", SHADOW)
    await see(parts, "dot", HIDDEN)
    await configure(parts, "race", reset_cron=after)
    assert parts.clock is not None
    await go_to(parts, parts.clock.now() + GRACE)
    on = parts.queries.resolve("race", None, period_id)
    assert (await parts.periods.period(on)).state == PeriodState.COMPLETED
    for visibility in (PUBLIC, HIDDEN, SHADOW):
        for name in ("bob", "dot", "ann"):
            await see(parts, name, visibility)
        assert await own(parts, on, "bob") == (2, 30, 4)
        assert await refusal(parts.queries.place(on, "dot")) is Reason.NOT_ON_BOARD
        await unseen(parts, on, "bob")


async def test_he_is_gone_from_there_when_he_is_erased(parts: Parts) -> None:
    await compete(parts)
    await see(parts, "cid", SHADOW)
    await go_to(parts, MIDNIGHT + GRACE)
    await parts.people.erase(Order("cid", "erase", b"erase".ljust(16), b"", "tests"))
    on = board_at(parts, period_id=DAY)
    assert await refusal(parts.queries.place(on, "cid")) is Reason.USER_NOT_FOUND
    await give(parts, "cid", 1)  # another person with his id
    assert await refusal(parts.queries.place(on, "cid")) is Reason.NOT_ON_BOARD


async def test_he_sees_himself_in_past_periods_of_score_boards(parts: Parts) -> None:
    await board(parts, reset_cron="0 0 * * *")
    for name, score in POINTS:
        await report(parts, name, score, score // 10)
    await see(parts, "bob", SHADOW)
    await see(parts, "dot", HIDDEN)
    await go_to(parts, MIDNIGHT + GRACE)
    on = parts.queries.resolve("race", None, "2026-11-25T00:00Z")
    for visibility in (PUBLIC, HIDDEN, SHADOW):
        for name in ("bob", "dot", "ann"):
            await see(parts, name, visibility)
        assert await own(parts, on, "bob") == (2, 30, 4)
        assert await refusal(parts.queries.place(on, "dot")) is Reason.NOT_ON_BOARD
        final = [(1, "ann", 40, 4), (2, "cid", 30, 3), (3, "eve", 10, 1)]
        assert await lines(parts, period_id=on.key.period_id) == final
        await unseen(parts, on, "bob")
    await go_to(parts, MIDNIGHT + TWO_WEEKS)
    assert await own(parts, on, "bob") == (2, 30, 4)
    await unseen(parts, on, "bob")
    assert await wrongs(parts) == []
