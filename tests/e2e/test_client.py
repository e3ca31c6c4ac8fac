"""The Python client with a real server."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar
from uuid import uuid4

import grpc
import pytest

from laurel.admin.v1 import admin_service_pb2
from laurel.leaderboard.v1 import leaderboard_service_pb2
from laurel.ranking.v1 import ranking_service_pb2
from laurel.rewards.v1 import rewards_service_pb2
from laurel.sandbox.v1 import sandbox_service_pb2
from laurel_client import (
    ActionConfig,
    BadgeDefinition,
    BoardConfig,
    BoardKind,
    Campaign,
    JobState,
    Laurel,
    LaurelCallError,
    NotificationPreferences,
    Period,
    RankState,
    RankUpdate,
    Tier,
    TierChange,
    Top,
    UpdateScoreRequest,
    User,
    Visibility,
    award,
    board,
)
from laurel_server.runtime.probe import check_health
from tests.e2e.conftest import StartServe
from tests.e2e.serving import Serve, eventually

WEEK = board("global", "weekly")


@pytest.fixture
async def client(laurel: Serve) -> AsyncIterator[Laurel]:
    async with Laurel(laurel.run["grpc"], timeout=30) as client:
        yield client


@pytest.fixture
def name() -> Callable[[str], str]:
    """Makes ids that no other test has."""
    mark = uuid4().hex[:12]
    return lambda text: f"{text}-{mark}"


Name = Callable[[str], str]
Item = TypeVar("Item")


async def until(watch: AsyncIterator[Item], holds: Callable[[Item], bool]) -> Item:
    """Reads a watch until it says what is waited for."""
    async with asyncio.timeout(60):
        while not holds(item := await anext(watch)):
            pass
        return item


async def test_an_award_is_in_the_ledger_and_on_the_boards(client: Laurel, name: Name) -> None:
    ada = name("ada")
    answer = await client.rewards.award_points(ada, "PURCHASE", {"order_value": "1999.00"}, order_id="o-1")
    assert (answer.transaction.points, answer.transaction.order_id) == (19, "o-1")
    assert answer.rank_state == RankState.RANK_STATE_FRESH
    rewards = await client.rewards.get_rewards(ada)
    assert (rewards.total_points, rewards.tier) == (19, Tier.TIER_BRONZE)
    assert await client.rewards.get_transaction(answer.transaction.transaction_id) == answer.transaction
    assert [entry async for entry in client.rewards.list_transactions(ada)] == [answer.transaction]
    place = await client.leaderboards.get_rank(ada, WEEK)
    assert place.rank.score == 19
    assert place.rank.rank == next(rank.rank for rank in answer.ranks if rank.board == place.rank.board)


async def test_the_same_request_id_counts_once(client: Laurel, name: Name) -> None:
    request_id = name("request")
    first = await client.rewards.award_points(name("bob"), "REVIEW", request_id=request_id)
    second = await client.rewards.award_points(name("bob"), "REVIEW", request_id=request_id)
    assert (first.replayed, second.replayed) == (False, True)
    assert first.transaction == second.transaction
    with pytest.raises(LaurelCallError) as raised:
        await client.rewards.award_points(name("cleo"), "REVIEW", request_id=request_id)
    assert (raised.value.reason, raised.value.code) == (
        "IDEMPOTENCY_CONFLICT",
        grpc.StatusCode.ALREADY_EXISTS,
    )


async def test_a_batch_has_an_outcome_for_each_award(client: Laurel, name: Name) -> None:
    outcomes = await client.rewards.batch_award_points(
        [award(name("dan"), "REVIEW"), award(name("dan"), "JUGGLING"), award("not a user id", "REVIEW")]
    )
    first, second, third = outcomes
    assert not isinstance(first, LaurelCallError)
    assert isinstance(second, LaurelCallError)
    assert (second.reason, second.metadata) == ("ACTION_NOT_FOUND", {"action": "JUGGLING"})
    assert isinstance(third, LaurelCallError)
    assert third.violations[0].field == "user_id"


async def test_boards_are_read_in_every_way(client: Laurel, name: Name) -> None:
    users = [name(f"reader-{number}") for number in range(5)]
    await client.rewards.batch_award_points(award(user, "REFERRAL") for user in users)
    page = await client.leaderboards.get_leaderboard(page_size=2, user_id=users[0])
    assert len(page.entries) == 2
    assert page.user_entry.user_id == users[0]
    lines = [entry async for entry in client.leaderboards.list_entries()]
    assert [line.rank for line in lines] == list(range(1, len(lines) + 1))
    places = await client.leaderboards.batch_get_ranks([*users, name("nobody")])
    assert [entry.user_id for entry in places.entries] == users
    assert list(places.missing_user_ids) == [name("nobody")]
    around = await client.leaderboards.get_surrounding(users[2], lines=1)
    assert [entry.user_id for entry in around.entries] == users[1:4]
    assert WEEK.scope in {rank.board.scope for rank in await client.leaderboards.list_user_ranks(users[0])}


async def test_operators_set_users_and_rules(client: Laurel, name: Name) -> None:
    ada = name("ada")
    assert (await client.admin.upsert_user(User(user_id=ada, username="Ada", country="GB"))).username == "Ada"
    counts = await client.admin.batch_upsert_users([User(user_id=ada), User(user_id=name("new"))])
    assert (counts.created, counts.updated) == (1, 1)
    assert (await client.admin.get_user(ada)).username == ""
    action = name("ACT").replace("-", "_").upper()
    await client.admin.put_action_config(ActionConfig(action=action, base_points="7", active=True))
    assert action in [config.action async for config in client.admin.list_action_configs()]
    campaign = Campaign(campaign_id=name("double"), actions=[action], multiplier="2", active=True)
    await client.admin.put_campaign(campaign)
    assert campaign.campaign_id in [each.campaign_id async for each in client.admin.list_campaigns()]
    assert (await client.rewards.award_points(ada, action)).transaction.points == 14


async def test_operators_look_after_the_boards(client: Laurel, name: Name) -> None:
    await client.rewards.award_points(name("eve"), "REVIEW")
    assert (await client.admin.rebuild_boards(WEEK)).boards == 1
    assert (await client.admin.verify_integrity()).ok
    assert (await client.admin.get_server_info()).version


async def test_a_sandbox_is_not_there_without_being_asked_for(client: Laurel) -> None:
    with pytest.raises(LaurelCallError) as raised:
        await client.sandbox.get_clock()
    assert raised.value.code is grpc.StatusCode.UNIMPLEMENTED


async def test_a_rank_is_watched_while_others_move(client: Laurel, name: Name) -> None:
    fay, gus = name("fay"), name("gus")
    # So many points that nobody else of the shared server stands between the two.
    await client.rewards.award_points(fay, "PURCHASE", {"order_value": 1_000_000_000})
    async with client.leaderboards.watch_rank(fay, WEEK) as watch:
        first = await anext(watch)
        await client.rewards.award_points(gus, "PURCHASE", {"order_value": 2_000_000_000})
        second = await until(watch, lambda update: update.rank == first.rank + 1)
        more = await client.rewards.award_points(fay, "PURCHASE", {"order_value": 2_000_000_000})
        third = await until(watch, lambda update: update.rank == first.rank)
    assert (second.points_earned, second.message) == (0, "You moved down 1 rank")
    assert (third.points_earned, third.message) == (more.transaction.points, "You moved up 1 rank!")


async def test_a_top_is_watched(client: Laurel, name: Name) -> None:
    hal = name("hal")
    async with client.leaderboards.watch_leaderboard(top_n=1) as tops:
        first = await anext(tops)
        best = first.entries[0].score if first.entries else 0
        await client.rewards.award_points(hal, "PURCHASE", {"order_value": (best + 10_000) * 100})
        second: Top = await until(tops, lambda top: top.entries[0].user_id == hal)
    assert len(second.entries) == 1
    assert second.total_participants == first.total_participants + 1


async def is_back(address: str) -> None:
    """Wait for a server that is being started, however long a busy machine takes; pytest's own limit ends it."""
    while True:
        try:
            return await check_health(address)
        except ConnectionError:
            await asyncio.sleep(0.05)  # nothing tells of it


async def test_watches_go_on_over_the_death_of_the_server(start_serve: StartServe) -> None:
    serve = start_serve()
    async with Laurel(serve.run["grpc"], timeout=30) as client:
        await client.rewards.award_points("ada", "REVIEW")
        async with (
            client.leaderboards.watch_rank("ada") as ranks,
            client.leaderboards.watch_leaderboard() as tops,
        ):
            assert (await anext(ranks)).rank == 1
            assert len((await anext(tops)).entries) == 1
            old = serve.pids["server"]
            os.kill(old, signal.SIGKILL)
            await asyncio.to_thread(
                eventually, lambda: serve.pids["server"] != old, "there is another server"
            )
            await is_back(serve.run["grpc"])
            moved = asyncio.create_task(until(ranks, lambda update: update.rank == 2))
            grown = asyncio.create_task(until(tops, lambda top: len(top.entries) == 2))
            await client.rewards.award_points("bob", "REFERRAL")
            update: RankUpdate = await moved
            top: Top = await grown
    assert (update.previous_rank, update.message) == (1, "You moved down 1 rank")
    assert [entry.user_id for entry in top.entries] == ["bob", "ada"]


async def test_points_are_spent_held_adjusted_and_taken_back(client: Laurel, name: Name) -> None:
    ada = name("ada")
    awarded = await client.rewards.award_points(ada, "PURCHASE", {"order_value": "10000"})
    spent = await client.rewards.redeem_points(ada, 30, reference_id="voucher-1")
    assert (spent.transaction.points, spent.rewards.total_points) == (-30, 70)
    back = await client.rewards.cancel_redemption(spent.transaction.transaction_id, reason="changed his mind")
    assert back.rewards.total_points == 100
    held = await client.rewards.create_hold(ada, 40, timeout=timedelta(minutes=1))
    assert (held.hold.points, held.rewards.total_points) == (40, 60)
    captured = await client.rewards.capture_hold(held.hold.hold_id, 10)
    assert (captured.rewards.total_points, captured.rewards.held_points) == (90, 0)
    other = await client.rewards.create_hold(ada, 5)
    assert (await client.rewards.release_hold(other.hold.hold_id)).rewards.total_points == 90
    adjusted = await client.rewards.adjust_points(ada, 7, actor="ops", reason="a parcel was lost")
    assert adjusted.rewards.total_points == 97
    taken = await client.rewards.reverse_transaction(
        awarded.transaction.transaction_id, part=(Decimal("25.00"), Decimal(100))
    )
    assert (taken.transaction.points, taken.rewards.lifetime_points) == (-25, 75)
    explained = await client.rewards.explain_transaction(awarded.transaction.transaction_id)
    assert explained.agrees


async def test_where_a_user_stands_over_time(client: Laurel, name: Name) -> None:
    ada = name("ada")
    await client.rewards.award_points(ada, "PURCHASE", {"order_value": "120000"})
    standing = await client.ranking.get_standing(ada, WEEK)
    assert standing.rank.score == 1200
    assert (await client.ranking.get_tier(ada)).points_to_next == 3800
    badges = {badge.badge_type for badge in await client.ranking.list_badges(ada)}
    assert badges <= {definition.badge_type for definition in await client.ranking.list_badge_definitions()}
    assert "POINTS_1K" in badges
    current = await client.ranking.get_period(WEEK)
    periods = [period async for period in client.ranking.list_periods(Period.PERIOD_WEEKLY)]
    assert current.board in [period.board for period in periods]
    with pytest.raises(LaurelCallError, match="PERIOD_NOT_FOUND"):
        await client.ranking.get_snapshot(WEEK)  # not frozen yet
    await client.admin.run_job("snapshot_ranks")
    history = [point.score async for point in client.ranking.get_rank_history(ada)]
    assert history == [1200]


async def test_operators_find_hide_erase_and_run(client: Laurel, name: Name) -> None:
    ada = name("ada")
    await client.rewards.award_points(ada, "REVIEW")
    found = [user.user_id async for user in client.admin.list_users(f"user_id={ada}")]
    assert found == [ada]
    hidden = await client.admin.set_visibility(ada, Visibility.VISIBILITY_HIDDEN, actor="ops")
    assert hidden.visibility == Visibility.VISIBILITY_HIDDEN
    await client.admin.erase_user(ada, actor="ops", reason="asked for it")
    with pytest.raises(LaurelCallError, match="USER_NOT_FOUND"):
        await client.admin.get_user(ada)
    assert "verify" in {job.job for job in await client.admin.list_jobs()}
    run = await client.admin.run_job("verify")
    assert run.state == JobState.JOB_STATE_SUCCEEDED
    assert run.run_id in [each.run_id async for each in client.admin.list_job_runs("verify")]
    stored = await client.admin.put_badge_definition(
        BadgeDefinition(badge_type="REVIEWER", rule='count("REVIEW") >= 3', active=True)
    )
    assert stored.version >= 1


async def test_boards_are_data(client: Laurel, name: Name) -> None:
    board_id = name("arena")
    config = BoardConfig(board_id=board_id, kind=BoardKind.BOARD_KIND_SCORES, display_name="Arena")
    assert (await client.admin.create_board(config)).board_id == board_id
    config.display_name = "The arena"
    await client.admin.update_board(config, "display_name")
    assert (await client.admin.get_board(board_id)).display_name == "The arena"
    assert board_id in [each.board_id async for each in client.admin.list_boards()]
    ada = name("ada")
    assert (await client.leaderboards.update_score(board_id, ada, 70)).updated
    one = UpdateScoreRequest(request_id=name("r"), board=board(board_id), user_id=ada, score=90)
    (better,) = await client.leaderboards.batch_update_scores([one])
    assert not isinstance(better, LaurelCallError)
    assert (better.rank.rank, better.rank.score) == (1, 90)
    assert await client.leaderboards.remove_member(board_id, ada)
    assert not await client.leaderboards.remove_member(board_id, ada)
    await client.admin.delete_board(board_id)
    with pytest.raises(LaurelCallError, match="BOARD_NOT_FOUND"):
        await client.admin.get_board(board_id)


async def test_achievements_are_watched(client: Laurel, name: Name) -> None:
    ada = name("ada")
    await client.rewards.award_points(ada, "REVIEW")
    async with client.ranking.watch_achievements(ada) as watch:
        first = asyncio.create_task(until(watch, lambda achieved: isinstance(achieved, TierChange)))
        while not watch.resume_token:  # noqa: ASYNC110 - the first heartbeat is kept from who iterates
            await asyncio.sleep(0.01)
        await client.rewards.award_points(ada, "PURCHASE", {"order_value": "500000"})
        change = await first
        assert isinstance(change, TierChange)
        assert change.to_tier == Tier.TIER_SILVER


async def test_everybody_says_what_to_be_told(client: Laurel, name: Name) -> None:
    ada = name("ada")
    await client.rewards.award_points(ada, "REVIEW")
    wish = NotificationPreferences(user_id=ada, quiet_from="22:00", quiet_until="07:00")
    assert (await client.admin.put_notification_preferences(wish)).quiet_from == "22:00"
    assert (await client.admin.get_notification_preferences(ada)).quiet_until == "07:00"


async def test_every_call_of_the_contract_has_a_method(client: Laurel) -> None:
    parts = {
        rewards_service_pb2: client.rewards,
        leaderboard_service_pb2: client.leaderboards,
        ranking_service_pb2: client.ranking,
        admin_service_pb2: client.admin,
        sandbox_service_pb2: client.sandbox,
    }
    missing = {
        method.full_name
        for file, part in parts.items()
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
        if not hasattr(part, re.sub(r"(?<!^)(?=[A-Z])", "_", method.name).lower())
    }
    assert missing == set()
