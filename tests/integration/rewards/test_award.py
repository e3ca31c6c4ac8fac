from datetime import timedelta

import pytest
from msgspec.structs import replace

from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.ledger import RankState
from laurel_server.domain.tiers import Tier
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import (
    ALL,
    DAY,
    MONTH,
    START,
    WEEK,
    command,
    counts_of_tables,
    entries_of,
    gift,
    give,
    listed,
    wrongs,
)


async def test_an_award_is_an_entry_a_lot_a_key_an_event_and_a_balance(parts: Parts) -> None:
    answer = await parts.awards.award(
        command("ann", action="PURCHASE", attributes={"order_value": "1299.99"}, order_id="o-1"), None
    )

    assert (answer.entry.points, answer.entry.expires_at) == (12, START.replace(year=2027))
    rows = await counts_of_tables(parts)
    assert (
        rows["reward_transactions_2026_11"] == rows["lots"] == rows["idempotency_keys"] == rows["outbox"] == 1
    )
    row = await parts.pool.fetchrow(
        "SELECT balance, lifetime_points, version, open_totals::text AS totals FROM user_rewards"
    )
    assert row is not None
    sequence = answer.entry.transaction_id & ((1 << 48) - 1)
    assert (row["balance"], row["lifetime_points"], row["version"]) == (12, 12, sequence)
    assert all(f'"{period}": [12, {sequence}]' in row["totals"] for period in (DAY, WEEK, MONTH, ALL))
    assert await parts.pool.fetchval("SELECT events -> 0 ->> 'type' FROM outbox") == "rewards.earned"
    assert await parts.statement.transaction(answer.entry.transaction_id) == answer.entry
    assert (await parts.statement.rewards("ann")).total_points == 12
    assert await wrongs(parts) == []


async def test_the_answer_ranks_exactly_the_boards_that_moved(parts: Parts) -> None:
    await give(parts, "bob", 20)

    answer = await give(parts, "ann", 30)

    assert answer.rank_state is RankState.FRESH
    ranks = {
        tuple(rank.board): (rank.rank, rank.previous_rank, rank.score, rank.total) for rank in answer.ranks
    }
    boards = [("global", DAY), ("global", WEEK), ("global", MONTH), ("global", ALL)]
    boards += [("tier:bronze", WEEK), ("tier:bronze", ALL)]
    assert ranks == dict.fromkeys(boards, (1, 0, 30, 2))


async def test_a_replay_gives_the_first_answer_again_with_the_ranks_of_now(parts: Parts) -> None:
    first = await give(parts, "ann", 10, request_id="r-1")
    await give(parts, "bob", 50)
    await give(parts, "ann", 5)

    again = await give(parts, "ann", 10, request_id="r-1")

    assert again.replayed
    assert (again.entry, again.rewards, again.breakdown) == (first.entry, first.rewards, first.breakdown)
    assert {(rank.rank, rank.score) for rank in again.ranks if rank.board.scope == "global"} == {(2, 15)}
    assert await entries_of(parts, "ann") == [10, 5]


async def test_a_request_id_with_another_body_conflicts_and_changes_nothing(parts: Parts) -> None:
    await give(parts, "ann", 10, request_id="r-1")
    before = await counts_of_tables(parts)

    with pytest.raises(LaurelError) as refused:
        await give(parts, "ann", 11, request_id="r-1")

    assert refused.value.reason is Reason.IDEMPOTENCY_CONFLICT
    assert await counts_of_tables(parts) == before


async def test_callers_do_not_share_request_ids(parts: Parts) -> None:
    first = command("ann", 10, request_id="r-1")
    other = command("ann", 10, request_id="r-1")
    other = replace(other, caller="game")

    answers = [await parts.awards.award(each, None) for each in (first, other)]

    assert [answer.replayed for answer in answers] == [False, False]


async def test_a_refusal_stays_one_when_its_reason_is_gone(parts: Parts) -> None:
    missing = command("ann", request_id="r-1", action="LATER")
    with pytest.raises(LaurelError) as first:
        await parts.awards.award(missing, None)
    await parts.rule_book.put_action(gift("LATER"), "tests")

    with pytest.raises(LaurelError) as again:
        await parts.awards.award(missing, None)

    assert again.value.reason is first.value.reason is Reason.ACTION_NOT_FOUND
    assert (again.value.message, again.value.metadata) == (first.value.message, first.value.metadata)
    assert not (await parts.awards.award(command("ann", action="LATER"), None)).replayed


async def test_a_wrong_attribute_may_be_corrected_under_the_same_request_id(parts: Parts) -> None:
    with pytest.raises(LaurelError) as refused:
        await parts.awards.award(command("ann", request_id="r-1", attributes={}), None)
    assert refused.value.reason is Reason.INVALID_FIELD

    assert (await give(parts, "ann", 10, request_id="r-1")).entry.points == 10


async def test_validate_only_tells_the_outcome_and_changes_nothing(parts: Parts) -> None:
    await give(parts, "ann", 4990)
    before = await counts_of_tables(parts)
    boards = await listed(parts)

    known = await give(parts, "ann", 10, validate_only=True, request_id="r-1")
    unknown = await give(parts, "bob", 10, validate_only=True)
    with pytest.raises(LaurelError):
        await parts.awards.award(command("ann", action="NOPE", validate_only=True), None)

    assert known.rewards.lifetime_points == 5000
    assert known.tier_change is not None
    assert unknown.rewards.total_points == 10
    assert known.rank_state is unknown.rank_state is RankState.FRESH
    assert {(rank.previous_rank, rank.rank) for rank in unknown.ranks} == {(0, 2)}
    assert (await counts_of_tables(parts), await listed(parts)) == (before, boards)
    made = await give(parts, "ann", 10, request_id="r-1")
    assert (made.ranks, made.replayed) == (known.ranks, False)


async def test_a_late_award_that_would_promote_is_tried_out_with_its_points_only_where_they_count(
    parts: Parts,
) -> None:
    await give(parts, "bob", 6000)
    await give(parts, "ann", 20)
    late = START - timedelta(days=40)

    tried = await give(parts, "ann", 5000, occurred_at=late, validate_only=True)
    made = await give(parts, "ann", 5000, occurred_at=late)

    scores = {(rank.board.scope, rank.board.period_id): rank.score for rank in made.ranks}
    assert scores == {("global", ALL): 5020, ("tier:silver", WEEK): 20, ("tier:silver", ALL): 5020}
    assert sorted(tried.ranks, key=str) == sorted(made.ranks, key=str)


async def test_a_promotion_moves_the_user_from_board_to_board(parts: Parts) -> None:
    await give(parts, "bob", 4000)
    await give(parts, "ann", 4999)

    answer = await give(parts, "ann", 5001)

    assert answer.tier_change is not None
    assert (answer.tier_change.from_tier, answer.tier_change.to_tier) == (Tier.BRONZE, Tier.GOLD)
    ranked = {rank.board.scope for rank in answer.ranks}
    assert ranked == {"global", "tier:gold"}
    for period_id in (WEEK, ALL):
        assert await listed(parts, "tier:gold", period_id) == [("ann", 10_000)]
        assert await listed(parts, "tier:bronze", period_id) == [("bob", 4000)]
        assert await listed(parts, "tier:silver", period_id) == []
    assert await wrongs(parts) == []


async def test_two_promotions_in_one_batch_leave_the_user_on_the_last_tier_alone(parts: Parts) -> None:
    results = await parts.awards.award_batch(
        [command("ann", 5000), command("ann", 5000), command("ann", 1)], None
    )

    assert [getattr(result, "rank_state", result) for result in results] == [RankState.FRESH] * 3
    assert await listed(parts, "tier:gold", WEEK) == [("ann", 10_001)]
    for tier in ("bronze", "silver"):
        assert await listed(parts, f"tier:{tier}", WEEK) == []
    assert await wrongs(parts) == []


async def test_a_hidden_user_has_points_and_no_place(parts: Parts) -> None:
    await give(parts, "ann", 10)
    await parts.pool.execute("UPDATE users SET visibility = 2")
    await parts.maintenance.rebuild(None)

    answer = await give(parts, "ann", 5)

    assert (answer.rank_state, answer.ranks) == (RankState.NOT_RANKED, ())
    assert answer.rewards.total_points == 15
    assert await listed(parts) == []
    assert await wrongs(parts) == []


async def test_points_that_begin_later_are_pending(parts: Parts) -> None:
    answer = await give(parts, "ann", 10, activates_at=START + timedelta(days=1))
    assert (answer.rewards.total_points, answer.rewards.pending_points) == (0, 10)

    assert parts.clock is not None
    await parts.clock.advance(timedelta(days=1))

    rewards = await parts.statement.rewards("ann")
    assert (rewards.total_points, rewards.pending_points) == (10, 0)


async def test_an_award_beyond_what_boards_rank_exactly_is_refused(parts: Parts) -> None:
    await give(parts, "ann", (1 << 53) - 1)
    assert (await give(parts, "ann", 1)).rewards.lifetime_points == 1 << 53

    with pytest.raises(LaurelError) as refused:
        await give(parts, "ann", 1)

    assert refused.value.reason is Reason.SCORE_OUT_OF_RANGE
    assert await listed(parts) == [("ann", 1 << 53)]
