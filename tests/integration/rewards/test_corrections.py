import asyncio
from collections import Counter
from datetime import timedelta
from fractions import Fraction

import pytest

from laurel_server.domain.awards import AwardAnswer
from laurel_server.domain.boards import BoardEffect
from laurel_server.domain.commands import ChangeAnswer
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.identifiers import BATCH_BITS
from laurel_server.domain.ledger import RankState
from laurel_server.domain.reversals import ReversalPolicy, ReverseCommand
from laurel_server.domain.tiers import Tier
from laurel_server.rewards.commands import item_of
from laurel_server.runtime.config_program import Ledger
from laurel_server.runtime.wiring import Parts
from tests.integration.spend import (
    adjust,
    available,
    cancel,
    entry_id,
    hold,
    key,
    lots_of,
    redeem,
    redemption,
    refused,
    reverse,
)
from tests.integration.wired import (
    DAY,
    START,
    WEEK,
    command,
    counts_of_tables,
    entries_of,
    gift,
    give,
    listed,
    running,
    wrongs,
)


async def test_a_reversal_takes_points_lifetime_and_places_back(parts: Parts) -> None:
    await give(parts, "bob", 50)
    awarded = await give(parts, "ann", 100, order_id="o-1")

    answer = await reverse(parts, awarded.entry.transaction_id, 70)

    assert answer.entry is not None
    assert (answer.entry.action, answer.entry.points, answer.entry.order_id) == ("REVERSAL", -70, "o-1")
    assert answer.entry.reverses_transaction_id == awarded.entry.transaction_id
    assert (answer.rewards.total_points, answer.rewards.lifetime_points) == (30, 30)
    assert answer.rank_state is RankState.FRESH
    assert {(each.rank, each.previous_rank, each.score) for each in answer.ranks} == {(2, 1, 30)}
    assert await listed(parts) == await listed(parts, period_id=DAY) == [("bob", 50), ("ann", 30)]
    assert (await parts.statement.transaction(awarded.entry.transaction_id)).reversed_points == 70
    assert await wrongs(parts) == []


async def test_a_user_without_points_is_off_the_board(parts: Parts) -> None:
    awarded = await give(parts, "ann", 100)
    await give(parts, "bob", 50)

    answer = await reverse(parts, awarded.entry.transaction_id)

    assert await listed(parts) == await listed(parts, period_id=WEEK) == [("bob", 50)]
    assert answer.rank_state is RankState.FRESH
    assert {(each.rank, each.previous_rank, each.score, each.total) for each in answer.ranks} == {
        (0, 1, 0, 1)
    }
    await parts.maintenance.rebuild(None)
    assert await listed(parts) == [("bob", 50)]
    assert await wrongs(parts) == []
    await give(parts, "ann", 50)
    assert await listed(parts) == [("bob", 50), ("ann", 50)]  # who leaves and comes back has lost his place


async def test_parts_are_floored_on_their_sum(parts: Parts) -> None:
    order = (await give(parts, "ann", 100)).entry.transaction_id
    refunds = [Fraction(amount) / 100 for amount in ("33.33", "33.33", "33.34")]

    answers = [await reverse(parts, order, part=part) for part in refunds]

    assert [each.entry.points for each in answers if each.entry] == [-33, -33, -34]
    with refused(Reason.ALREADY_REVERSED, transaction_id=str(order)):
        await reverse(parts, order, part=Fraction(1, 100))
    assert await wrongs(parts) == []


async def test_parts_that_have_nothing_in_common_are_bounded(parts: Parts) -> None:
    order = (await give(parts, "ann", 100)).entry.transaction_id
    made = 0
    with refused(Reason.INVALID_FIELD, field="denominator"):
        for number in range(100):
            await reverse(parts, order, part=Fraction(1, 10**39 + number))
            made += 1
    assert 50 <= made < 70
    await reverse(parts, order, part=Fraction(1, 4))  # nothing of what was refused counts
    await reverse(parts, order)
    assert await wrongs(parts, "ledger") == []


async def test_no_more_is_reversed_than_there_was(parts: Parts) -> None:
    order = (await give(parts, "ann", 100)).entry.transaction_id
    await give(parts, "ann", 1000)
    with refused(Reason.ALREADY_REVERSED):
        await reverse(parts, order, 101)
    await reverse(parts, order, 60)
    with refused(Reason.ALREADY_REVERSED):
        await reverse(parts, order, 41)
    answer = await reverse(parts, order)
    assert answer.entry is not None
    assert answer.entry.points == -40
    with refused(Reason.ALREADY_REVERSED):
        await reverse(parts, order)
    assert await available(parts, "ann") == 1000


async def test_reversals_redemptions_and_expirations_are_not_reversible(parts: Parts) -> None:
    awarded = (await give(parts, "ann", 100)).entry.transaction_id
    reversal, redemption = await reverse(parts, awarded, 10), await redeem(parts, "ann", 10)
    cancelled = await cancel(parts, redemption)
    for answer in (reversal, redemption, cancelled):
        with refused(Reason.NOT_REVERSIBLE, transaction_id=str(entry_id(answer))):
            await reverse(parts, entry_id(answer))
    with refused(Reason.TRANSACTION_NOT_FOUND):
        await reverse(parts, 7)


@pytest.mark.parametrize(
    ("policy", "taken", "left", "lots"),
    [
        (ReversalPolicy.ONLY_UNSPENT, 30, 20, [20]),
        (ReversalPolicy.CLAMP, 50, 0, []),
        (ReversalPolicy.ALLOW_NEGATIVE, 100, -50, []),
    ],
)
async def test_policies_differ_in_what_they_take_when_points_are_spent(
    parts: Parts, policy: ReversalPolicy, taken: int, left: int, lots: list[int]
) -> None:
    awarded = (await give(parts, "ann", 100)).entry.transaction_id
    await redeem(parts, "ann", 70)
    await give(parts, "ann", 20)

    answer = await reverse(parts, awarded, policy=policy)

    assert answer.entry is not None
    assert (answer.entry.points, answer.rewards.total_points) == (-taken, left)
    assert answer.rewards.lifetime_points == 120 - taken
    assert await lots_of(parts, "ann") == lots
    assert (await parts.statement.transaction(awarded)).reversed_points == taken
    assert await listed(parts) == ([("ann", 120 - taken)])
    assert await wrongs(parts) == []


async def test_later_earnings_fill_a_deficit_first(parts: Parts) -> None:
    awarded = (await give(parts, "ann", 100)).entry.transaction_id
    await redeem(parts, "ann", 100)
    assert (await reverse(parts, awarded, policy=ReversalPolicy.ALLOW_NEGATIVE)).rewards.total_points == -100
    with refused(Reason.INSUFFICIENT_POINTS, available="0"):
        await redeem(parts, "ann", 1)

    assert (await give(parts, "ann", 30)).rewards.total_points == -70
    assert (await give(parts, "ann", 90)).rewards.total_points == 20
    assert await lots_of(parts, "ann") == [20]
    assert (await redeem(parts, "ann", 20)).rewards.total_points == 0
    assert await wrongs(parts) == []


async def test_what_clamp_could_not_take_can_be_taken_later(parts: Parts) -> None:
    awarded = (await give(parts, "ann", 100)).entry.transaction_id
    await redeem(parts, "ann", 100)
    answer = await reverse(parts, awarded)
    assert answer.entry is not None
    assert answer.entry.points == 0
    await give(parts, "ann", 30)
    assert (await reverse(parts, awarded)).rewards.total_points == 0
    assert (await parts.statement.transaction(awarded)).reversed_points == 30


async def test_a_pending_award_is_reversed_from_its_own_lot(parts: Parts) -> None:
    await give(parts, "ann", 10)
    pending = await give(parts, "ann", 100, activates_at=START + timedelta(days=14))

    answer = await reverse(parts, pending.entry.transaction_id, 40)

    assert (answer.rewards.total_points, answer.rewards.pending_points) == (10, 60)
    assert await wrongs(parts) == []


async def test_held_points_are_not_taken_back_unless_the_policy_overdraws(parts: Parts) -> None:
    awarded = (await give(parts, "ann", 100)).entry.transaction_id
    await hold(parts, "ann", 80)
    answer = await reverse(parts, awarded)
    assert (answer.rewards.total_points, answer.rewards.held_points) == (0, 80)
    answer = await reverse(parts, awarded, policy=ReversalPolicy.ALLOW_NEGATIVE)
    assert (answer.rewards.total_points, answer.rewards.held_points) == (0, 0)
    assert await wrongs(parts) == []


async def test_a_reversal_can_demote_and_moves_the_user_to_the_boards_of_his_tier(parts: Parts) -> None:
    await give(parts, "ann", 4_000)
    awarded = await give(parts, "ann", 2_000)
    assert awarded.rewards.tier is Tier.SILVER

    answer = await reverse(parts, awarded.entry.transaction_id)

    assert answer.tier_change is not None
    assert (answer.tier_change.from_tier, answer.tier_change.to_tier) == (Tier.SILVER, Tier.BRONZE)
    assert answer.rewards.tier is Tier.BRONZE
    told = await parts.pool.fetchval("SELECT body ->> 'to_tier' FROM events WHERE type = 'tier.changed'")
    assert told == "BRONZE"
    assert await listed(parts, "tier:silver") == []
    assert await listed(parts, "tier:bronze") == await listed(parts, "tier:bronze", WEEK) == [("ann", 4_000)]
    assert await wrongs(parts) == []


async def test_promotion_and_demotion_in_one_batch_end_on_the_right_boards(parts: Parts) -> None:
    first = await give(parts, "ann", 4_000)
    promoted, reversed_ = await asyncio.gather(
        give(parts, "ann", 2_000), reverse(parts, first.entry.transaction_id)
    )
    assert {promoted.rewards.tier, reversed_.rewards.tier} >= {Tier.BRONZE}
    assert await listed(parts, "tier:bronze") == [("ann", 2_000)]
    assert await listed(parts, "tier:silver") == []
    assert await wrongs(parts) == []


async def test_periods_that_are_closed_keep_what_they_had(parts: Parts) -> None:
    assert parts.clock is not None
    awarded = (await give(parts, "ann", 100)).entry.transaction_id
    await parts.clock.set(START + timedelta(days=1, hours=2))  # the day is over, its grace too

    await reverse(parts, awarded, 60)

    assert await listed(parts, period_id=DAY) == [("ann", 100)]
    assert await listed(parts, period_id=WEEK) == await listed(parts) == [("ann", 40)]
    assert await wrongs(parts) == []


async def test_a_replayed_reversal_gives_the_first_answer(parts: Parts) -> None:
    awarded = (await give(parts, "ann", 100)).entry.transaction_id
    first = await reverse(parts, awarded, 30, request_id="v")
    again = await reverse(parts, awarded, 30, request_id="v")
    assert (again.replayed, again.entry, again.rewards) == (True, first.entry, first.rewards)
    assert await entries_of(parts, "ann") == [100, -30]


async def test_of_twenty_racing_reversals_one_wins(ledger_dsn: str, redis_url: str) -> None:
    async with running(ledger_dsn, redis_url, ledger=Ledger(lanes=4, max_batch=3, pool_min=1)) as parts:
        awarded = (await give(parts, "ann", 100)).entry.transaction_id

        results = await asyncio.gather(*(reverse(parts, awarded) for _ in range(20)), return_exceptions=True)

        endings = Counter(each.reason if isinstance(each, LaurelError) else "won" for each in results)
        assert endings == {"won": 1, Reason.ALREADY_REVERSED: 19}
        assert await wrongs(parts) == []


async def test_an_adjustment_has_an_actor_and_a_reason_and_is_not_earned(parts: Parts) -> None:
    answer = await adjust(parts, "ann", 50, expires_at=START + timedelta(days=3))

    assert answer.entry is not None
    assert (answer.entry.action, answer.entry.points, answer.entry.balance_after) == (
        "MANUAL_ADJUSTMENT",
        50,
        50,
    )
    assert (answer.entry.created_by, answer.entry.reason) == ("olga", "goodwill")
    assert answer.entry.expires_at == START + timedelta(days=3)
    rewards = answer.rewards
    assert (rewards.total_points, rewards.lifetime_points, rewards.last_reward_at) == (50, 0, None)
    assert await parts.statement.rewards("ann") == rewards
    assert (await adjust(parts, "ann", -20)).rewards.total_points == 30
    with refused(Reason.INSUFFICIENT_POINTS, available="30", requested="31"):
        await adjust(parts, "ann", -31)
    assert await listed(parts) == []
    assert (await reverse(parts, entry_id(answer), 10)).rewards.lifetime_points == 0
    assert await wrongs(parts) == []


async def test_an_adjustment_fills_a_deficit_too(parts: Parts) -> None:
    awarded = (await give(parts, "ann", 100)).entry.transaction_id
    await redeem(parts, "ann", 100)
    await reverse(parts, awarded, policy=ReversalPolicy.ALLOW_NEGATIVE)
    assert (await adjust(parts, "ann", 30)).rewards.total_points == -70
    assert (await adjust(parts, "ann", 90)).rewards.total_points == 20
    assert await wrongs(parts) == []


async def test_an_adjustment_that_takes_creates_no_user(parts: Parts) -> None:
    with refused(Reason.USER_NOT_FOUND):
        await adjust(parts, "nobody", -1)
    assert (await counts_of_tables(parts))["users"] == 0


async def test_an_adjustment_cannot_have_expired(parts: Parts) -> None:
    with refused(Reason.INVALID_FIELD, field="expires_at"):
        await adjust(parts, "ann", 1, expires_at=START)
    await adjust(parts, "ann", 1)
    with refused(Reason.INVALID_FIELD, field="expires_at"):
        await adjust(parts, "ann", -1, expires_at=START + timedelta(days=1))


async def test_adjustments_move_boards_where_their_config_says_so(parts: Parts) -> None:
    await parts.rule_book.put_action(
        gift("MANUAL_ADJUSTMENT", board_effect=BoardEffect.ALL_TIME_ONLY), "tests"
    )
    await adjust(parts, "ann", 50)
    await adjust(parts, "ann", -20)
    assert await listed(parts) == [("ann", 30)]
    assert await listed(parts, period_id=DAY) == []
    assert await wrongs(parts) == []


async def test_no_board_counts_more_than_it_ranks_exactly(parts: Parts) -> None:
    """Redeeming makes room for another adjustment, but not on the boards that adjustments move."""
    most = 1 << 53
    await parts.rule_book.put_action(gift("MANUAL_ADJUSTMENT"), "tests")
    await adjust(parts, "ann", most)
    spent = await redeem(parts, "ann", most)
    for call in (adjust(parts, "ann", 1), give(parts, "ann", 1)):
        with refused(Reason.SCORE_OUT_OF_RANGE, max=str(most)):
            await call
    await adjust(parts, "bob", most)
    results = await parts.awards.award_batch([command("bob", 1), command("cleo", 1)], None)
    assert [isinstance(each, AwardAnswer) for each in results] == [False, True]
    assert (
        await listed(parts)
        == await listed(parts, period_id=DAY)
        == [("ann", most), ("bob", most), ("cleo", 1)]
    )

    await parts.rule_book.put_action(gift("MANUAL_ADJUSTMENT", board_effect=BoardEffect.NONE), "tests")
    given = await adjust(parts, "ann", most)
    with refused(Reason.SCORE_OUT_OF_RANGE):
        await cancel(parts, spent)
    await reverse(parts, entry_id(given))
    await cancel(parts, spent)
    assert await entries_of(parts, "ann") == [most, -most, most, -most, most]
    assert await wrongs(parts) == []


async def test_a_reversal_of_what_is_unspent_leaves_enough_for_its_batch(parts: Parts) -> None:
    """Both want 100 points: the one its own lot, which is also the first that the other would spend."""
    awarded = await give(parts, "ann", 100)
    await give(parts, "ann", 100)
    undone = ReverseCommand(
        **key(None, "undone")._asdict(),
        user_id="ann",
        original=awarded.entry,
        policy=ReversalPolicy.ONLY_UNSPENT,
    )

    results = await parts.awards.submit(
        [item_of(undone, "reverse"), item_of(redemption("ann", 100), "redeem")], None
    )

    entries = [each.entry for each in results if isinstance(each, ChangeAnswer) and each.entry]
    assert [entry.points for entry in entries] == [-100, -100]
    assert len({entry.transaction_id >> BATCH_BITS for entry in entries}) == 1
    assert await available(parts, "ann") == sum(await entries_of(parts, "ann")) == 0
    assert await wrongs(parts) == []


async def test_a_request_about_an_unknown_entry_is_answered_once_too(parts: Parts) -> None:
    awarded = await give(parts, "ann", 100)
    with refused(Reason.TRANSACTION_NOT_FOUND, transaction_id="77"):
        await reverse(parts, 77, request_id="r-1")
    with refused(Reason.TRANSACTION_NOT_FOUND, transaction_id="77"):
        await reverse(parts, 77, request_id="r-1")
    with refused(Reason.IDEMPOTENCY_CONFLICT, request_id="r-1"):
        await reverse(parts, awarded.entry.transaction_id, request_id="r-1")
    await reverse(parts, awarded.entry.transaction_id, 1, request_id="r-2")
    with refused(Reason.IDEMPOTENCY_CONFLICT, request_id="r-2"):
        await reverse(parts, 77, request_id="r-2")
    racing = await asyncio.gather(
        *(reverse(parts, 78, request_id="r-3") for _ in range(5)), return_exceptions=True
    )
    assert {each.reason if isinstance(each, LaurelError) else each for each in racing} == {
        Reason.TRANSACTION_NOT_FOUND
    }
