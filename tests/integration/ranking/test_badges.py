import asyncio
from collections.abc import AsyncIterator, Collection
from datetime import timedelta

import pytest

from laurel_server.domain.awards import AwardAnswer
from laurel_server.domain.commands import RequestKey
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.people import Order
from laurel_server.domain.views import Standings
from laurel_server.events.source import Heard, Polled
from laurel_server.events.topics import REWARDS_EARNED
from laurel_server.ranking.rank_badges import RankBadges
from laurel_server.runtime.wiring import Parts
from tests.integration.ranking.badging import announced, award_badges, define, held, types
from tests.integration.wired import ALL, START, board_at, command, give, listed, running, wrongs


async def test_points_unlock_a_badge_with_the_award_that_reaches_them(parts: Parts) -> None:
    assert types(await give(parts, "ann", 999)) == []
    assert types(await give(parts, "ann", 1)) == ["POINTS_1K"]
    assert types(await give(parts, "ann", 9_000)) == ["POINTS_10K", "POINTS_1_5K", "POINTS_5K"]
    assert types(await give(parts, "ann", 1)) == []
    assert await held(parts, "ann") == {"POINTS_1K": 1, "POINTS_1_5K": 1, "POINTS_5K": 1, "POINTS_10K": 1}
    assert await announced(parts) == [
        ("ann", "POINTS_1K", 1),
        ("ann", "POINTS_10K", 1),
        ("ann", "POINTS_1_5K", 1),
        ("ann", "POINTS_5K", 1),
    ]
    assert await wrongs(parts) == []


async def test_without_a_global_all_time_board_there_are_no_places_to_give_badges_for(parts: Parts) -> None:
    await give(parts, "ann", 10)
    await parts.boards.delete("global-all", RequestKey("tests", "delete", b""))
    assert await parts.badges.award_by_standing(lambda _: None) == 0
    assert await held(parts, "ann") == {}


async def test_a_replay_names_the_badges_of_the_first_answer(parts: Parts) -> None:
    first = await give(parts, "ann", 1_000, request_id="r-1")
    await give(parts, "ann", 500)

    again = await give(parts, "ann", 1_000, request_id="r-1")

    assert again.replayed
    assert again.badges == first.badges
    assert types(again) == ["POINTS_1K"]


async def test_an_award_that_is_tried_out_tells_its_badges_and_gives_none(parts: Parts) -> None:
    tried = await give(parts, "ann", 1_000, validate_only=True)

    assert types(tried) == ["POINTS_1K"]
    assert await parts.pool.fetchval("SELECT count(*) FROM user_badges") == 0
    assert types(await give(parts, "ann", 1_000)) == ["POINTS_1K"]
    await parts.pool.execute("UPDATE user_rewards SET lifetime_points = 0")  # as after a reversal
    assert types(await give(parts, "ann", 1_000, validate_only=True)) == []


async def test_the_first_thousand_users_are_early_adopters(parts: Parts) -> None:
    await parts.pool.execute("SELECT setval('user_no_seq', 999)")
    last, late = await give(parts, "ann"), await give(parts, "bob")
    assert [badge.badge_type for badge in last.badges] == ["EARLY_ADOPTER"]
    assert late.badges == ()


async def test_users_that_are_only_tried_out_take_no_place_among_the_first(parts: Parts) -> None:
    await give(parts, "ghost", validate_only=True)
    await give(parts, "ann")
    assert await parts.pool.fetchval("SELECT user_no FROM users") == 1


async def test_ten_referrals_make_a_master(parts: Parts) -> None:
    for number in range(9):
        answer = await give(parts, "ann", action="REFERRAL", request_id=f"r-{number}")
        assert types(answer) == []
    assert types(await give(parts, "ann", action="REFERRAL")) == ["POINTS_1K", "REFERRAL_MASTER"]
    assert types(await give(parts, "ann", action="REFERRAL")) == []


async def test_awards_of_one_batch_unlock_once_with_the_one_that_reaches_it(parts: Parts) -> None:
    commands = [command("ann", 10, action="REFERRAL") for _ in range(12)]
    answers = await parts.awards.award_batch(commands, None)

    unlocked = [types(answer) for answer in answers if isinstance(answer, AwardAnswer)]
    assert unlocked == [[]] * 9 + [["POINTS_1K", "REFERRAL_MASTER"], [], []]


async def test_a_rule_of_ones_own_over_points_and_counts(parts: Parts) -> None:
    await define(parts, "CRITIC", 'points >= 777 and count("REVIEW") >= 3')
    await give(parts, "ann", 800)
    assert types(await give(parts, "ann", action="REVIEW")) == []
    assert types(await give(parts, "ann", action="REVIEW")) == []
    assert types(await give(parts, "ann", action="REVIEW")) == ["CRITIC"]

    for _ in range(3):
        assert types(await give(parts, "bob", action="REVIEW")) == []
    assert types(await give(parts, "bob", 777 - 61)) == []
    assert types(await give(parts, "bob", 1)) == ["CRITIC"]


async def test_awards_before_the_rule_are_counted_from_the_ledger(parts: Parts) -> None:
    for _ in range(2):
        await give(parts, "ann", action="REVIEW")
    await define(parts, "CRITIC", 'count("REVIEW") >= 3')
    assert types(await give(parts, "ann", action="REVIEW")) == ["CRITIC"]


async def test_awards_while_no_rule_counted_them_are_counted_too(parts: Parts) -> None:
    await define(parts, "CRITIC", 'count("REVIEW") >= 4')
    await give(parts, "ann", action="REVIEW")
    await define(parts, "CRITIC", "points >= 10000000")
    await give(parts, "ann", action="REVIEW")
    await define(parts, "CRITIC", 'count("REVIEW") >= 4')
    assert types(await give(parts, "ann", action="REVIEW")) == []
    assert types(await give(parts, "ann", action="REVIEW")) == ["CRITIC"]


async def test_who_had_reached_it_before_gets_it_with_the_next_award(parts: Parts) -> None:
    await give(parts, "ann", 900)
    await define(parts, "LUCKY", "points >= 777")
    assert types(await give(parts, "ann", 1)) == ["LUCKY"]


async def test_who_had_reached_it_before_gets_it_from_the_job_once(parts: Parts) -> None:
    await define(parts, "LUCKY", 'points >= 777 and count("GIVE") >= 2')
    await award_badges(parts)
    for user_id in ("ann", "bob"):
        await give(parts, user_id, 300)
        await give(parts, user_id, 400)
    await define(parts, "LUCKY", 'points >= 700 and count("GIVE") >= 2')

    await award_badges(parts)

    assert (await held(parts, "ann"))["LUCKY"] == 1
    assert await award_badges(parts) == 0
    assert types(await give(parts, "ann", 1)) == []
    assert [each for each in await announced(parts) if each[1] == "LUCKY"] == [
        ("ann", "LUCKY", 1),
        ("bob", "LUCKY", 1),
    ]


async def erase(parts: Parts, user_id: str) -> None:
    await parts.people.erase(Order(user_id, "erase", b"k" * 16, b"h" * 16, "tests"))


async def test_a_new_rule_gives_erased_people_nothing_though_they_keep_their_numbers(parts: Parts) -> None:
    for user_id in ("ann", "bob", "cleo"):
        await give(parts, user_id, 900)
    await erase(parts, "ann")
    await define(parts, "LUCKY", "points >= 777")
    await define(parts, "SECOND", "member_number == 2")

    assert await parts.badges.sweep(lambda _: None) == 3

    told = [each for each in await announced(parts) if each[1] in {"LUCKY", "SECOND"}]
    assert told == [("bob", "LUCKY", 1), ("bob", "SECOND", 1), ("cleo", "LUCKY", 1)]


async def test_points_of_the_current_period_count_by_the_calendar(parts: Parts) -> None:
    assert parts.clock is not None
    await define(parts, "BUSY", "weekly_points >= 100")
    assert types(await give(parts, "ann", 99)) == []
    await parts.clock.advance(timedelta(days=7))
    assert types(await give(parts, "ann", 99)) == []
    assert types(await give(parts, "ann", 1)) == ["BUSY"]


async def test_levels_are_unlocked_one_by_one_and_shown_at_the_highest(parts: Parts) -> None:
    await define(parts, "STAR", "points >= 10", level_rules=("points >= 20", "points >= 30"))
    first = await give(parts, "ann", 10)
    assert [(badge.badge_type, badge.level) for badge in first.badges][-1] == ("STAR", 1)
    second = await give(parts, "ann", 20)
    assert [(badge.badge_type, badge.level) for badge in second.badges] == [("STAR", 2), ("STAR", 3)]
    assert await held(parts, "ann") == {"STAR": 3}


async def test_a_level_that_counts_is_shown_rather_than_a_higher_one_that_has_expired(parts: Parts) -> None:
    assert parts.clock is not None
    await define(parts, "STAR", "points >= 10", level_rules=("points >= 20", "points >= 30"))
    await give(parts, "ann", 10)
    await define(
        parts,
        "STAR",
        "points >= 10",
        level_rules=("points >= 20", "points >= 30"),
        valid_for=timedelta(days=1),
    )
    await give(parts, "ann", 20)
    assert await held(parts, "ann") == {"STAR": 3}

    await parts.clock.advance(timedelta(days=1))

    star = [
        (badge.level, active) for badge, active in await parts.badges.of("ann") if badge.badge_type == "STAR"
    ]
    assert star == [(1, True)]
    assert "STAR" in (await parts.queries.page(board_at(parts), "", 1)).lines[0].badges


async def test_a_badge_expires_and_is_not_unlocked_again(parts: Parts) -> None:
    assert parts.clock is not None
    await define(parts, "FRESH", "points >= 10", valid_for=timedelta(days=1))
    answer = await give(parts, "ann", 10)
    assert answer.badges[-1].expires_at == START + timedelta(days=1)
    line = (await parts.queries.page(board_at(parts), "", 1)).lines[0]
    assert "FRESH" in line.badges

    await parts.clock.advance(timedelta(days=1))

    assert types(await give(parts, "ann", 10)) == []
    active = {badge.badge_type: active for badge, active in await parts.badges.of("ann")}
    assert active["FRESH"] is False
    line = (await parts.queries.page(board_at(parts), "", 1)).lines[0]
    assert "FRESH" not in line.badges


async def test_ranks_unlock_by_the_job_and_stay_once_earned(parts: Parts) -> None:
    for number in range(1, 31):
        await give(parts, f"user:{number:02}", 100 - number)

    given = await parts.badges.award_by_standing(lambda _: None)

    assert given == 10 + 20 + 30 + 1 + 2 + 3  # the brackets by rank <= ceil(total x p / 100)
    top = {"TOP_10": 1, "TOP_20": 1, "TOP_100": 1}
    assert await held(parts, "user:01") == top | dict.fromkeys(
        ("TOP_1_PERCENT", "TOP_5_PERCENT", "TOP_10_PERCENT"), 1
    )
    assert await held(parts, "user:03") == top | {"TOP_10_PERCENT": 1}
    assert await held(parts, "user:11") == {"TOP_20": 1, "TOP_100": 1}
    assert await parts.badges.award_by_standing(lambda _: None) == 0
    await give(parts, "user:30", 1000)
    await parts.badges.award_by_standing(lambda _: None)
    assert "TOP_1_PERCENT" in await held(parts, "user:01")
    assert "TOP_1_PERCENT" in await held(parts, "user:30")
    assert sum(each[1] == "TOP_1_PERCENT" for each in await announced(parts)) == 2


async def test_a_rule_may_join_rank_and_points(parts: Parts) -> None:
    await define(parts, "LEADER", 'rank <= 2 and points >= 50 and count("REVIEW") >= 1')
    await give(parts, "ann", 100)
    await give(parts, "ann", action="REVIEW")
    await give(parts, "bob", 90)
    await give(parts, "cleo", 10, action="REVIEW")
    await award_badges(parts)
    assert [user_id for user_id in ("ann", "bob", "cleo") if "LEADER" in await held(parts, user_id)] == [
        "ann"
    ]


async def test_boards_show_badges_from_the_award_on(parts: Parts) -> None:
    await give(parts, "ann", 500)
    assert (await parts.queries.page(board_at(parts), "", 1)).lines[0].badges == ("EARLY_ADOPTER",)
    await give(parts, "ann", 500)
    assert (await parts.queries.page(board_at(parts), "", 1)).lines[0].badges == (
        "EARLY_ADOPTER",
        "POINTS_1K",
    )
    assert await listed(parts, "global", ALL) == [("ann", 1000)]


async def test_badges_of_an_unknown_user_are_not_found(parts: Parts) -> None:
    await give(parts, "ann")
    with pytest.raises(LaurelError) as refused:
        await parts.badges.of("nobody")
    assert refused.value.reason is Reason.USER_NOT_FOUND


@pytest.fixture
async def second(ledger_dsn: str, redis_url: str) -> AsyncIterator[Parts]:
    """Another server on the same engines."""
    async with running(ledger_dsn, redis_url) as server:
        yield server


async def test_two_servers_and_the_job_give_a_badge_once(parts: Parts, second: Parts) -> None:
    await define(parts, "BUSY", 'count("REVIEW") >= 1')
    users = [f"user:{number}" for number in range(40)]
    answers = await asyncio.gather(
        *(
            server.awards.award(command(user_id, action="REVIEW"), None)
            for user_id in users
            for server in (parts, second)
        ),
        award_badges(parts),
        award_badges(second),
    )
    told = [badge for answer in answers if isinstance(answer, AwardAnswer) for badge in answer.badges]
    by_job = 40 - sum(badge.badge_type == "BUSY" for badge in told)
    assert by_job >= 0
    assert sorted(each for each in await announced(parts) if each[1] == "BUSY") == sorted(
        (user_id, "BUSY", 1) for user_id in users
    )


class Third:
    """Everybody has the third place."""

    async def overall(self, user_ids: Collection[str]) -> Standings:
        """Return it."""
        return Standings(1000, dict.fromkeys(user_ids, 3))


async def set_aside_nothing(heard: Heard, error: Exception) -> None:
    raise AssertionError(heard) from error


async def test_an_erasure_that_another_server_heard_takes_no_badge_from_who_comes_next(parts: Parts) -> None:
    consumer = RankBadges(parts.badges, Third())
    moved = Polled([Heard("1", {"type": REWARDS_EARNED, "user_id": "ann"}, None)], True, False, None)
    for number in range(2):
        await give(parts, "ann", 1)
        await consumer.handle(moved, set_aside_nothing)
        assert "TOP_100" in await held(parts, "ann")
        await parts.people.erase(Order("ann", f"erase-{number}", bytes([number] * 16), b"h" * 16, "tests"))
        consumer.forget_all()
