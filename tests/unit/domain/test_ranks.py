import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel_server.domain.boards import SortOrder, TiePolicy
from laurel_server.domain.ranks import (
    Pair,
    bracket,
    in_top_percent,
    movement_message,
    next_milestone,
    percentile,
    points_needed,
    top_percent,
)

TOTALS = st.integers(1, 10**9)
PLACES = TOTALS.flatmap(lambda total: st.tuples(st.integers(1, total), st.just(total)))


@pytest.mark.parametrize(
    ("rank", "total", "above", "top"),
    [
        (16, 125_000, 99.99, 0.01),
        (1, 1, 0.0, 100.0),
        (1, 2, 50.0, 50.0),
        (1, 3, 66.67, 33.33),
        (3, 3, 0.0, 100.0),
        (1, 1_000_000, 100.0, 0.0),
        (1, 20_000, 99.99, 0.01),  # exactly between two hundredths
        (5, 4, 0.0, 100.0),  # the total was read before the last one joined
    ],
)
def test_percentiles(rank: int, total: int, above: float, top: float) -> None:
    assert percentile(rank, total) == above
    assert top_percent(rank, total) == top


@given(PLACES)
def test_percentiles_are_exact_to_half_a_hundredth_and_add_up(place: tuple[int, int]) -> None:
    rank, total = place
    hundredths = Fraction(rank, total) * 10_000
    assert abs(Fraction(str(top_percent(rank, total))) * 100 - hundredths) <= Fraction(1, 2)
    assert Fraction(str(percentile(rank, total))) + Fraction(str(top_percent(rank, total))) == 100


@pytest.mark.parametrize("rank", [0, -1])
def test_who_is_not_on_the_board_has_no_percentile(rank: int) -> None:
    with pytest.raises(ValueError, match="not on the board"):
        percentile(rank, 10)


@given(PLACES, st.integers(0, 100) | st.decimals(0, 100, places=2))
def test_the_top_percent_is_rounded_up_to_whole_ranks(place: tuple[int, int], percent: int | Decimal) -> None:
    rank, total = place
    last = math.ceil(Fraction(percent) * total / 100)
    assert in_top_percent(rank, total, percent) == (rank <= last)


@pytest.mark.parametrize(
    ("rank", "total", "name"),
    [
        (1, 1, "TOP_1_PERCENT"),
        (1, 100, "TOP_1_PERCENT"),
        (2, 100, "TOP_5_PERCENT"),
        (2, 101, "TOP_1_PERCENT"),
        (5, 100, "TOP_5_PERCENT"),
        (6, 100, "TOP_10_PERCENT"),
        (10, 100, "TOP_10_PERCENT"),
        (11, 100, ""),
    ],
)
def test_brackets(rank: int, total: int, name: str) -> None:
    assert bracket(rank, total) == name


@pytest.mark.parametrize(
    ("rank", "milestone"),
    [
        (0, None),
        (1, None),
        (2, 1),
        (3, 1),
        (4, 3),
        (10, 3),
        (16, 10),
        (20, 10),
        (21, 20),
        (51, 50),
        (100, 50),
        (101, 100),
        (251, 250),
        (1000, 500),
        (1001, 1000),
        (2501, 2500),
        (9_999, 5_000),
        (10_001, 10_000),
        (125_000, 100_000),
        (3 * 10**9, 25 * 10**8),
    ],
)
def test_the_next_milestone_is_the_next_better_one(rank: int, milestone: int | None) -> None:
    assert next_milestone(rank) == milestone


@given(st.integers(2, 10**12))
def test_a_milestone_is_ahead_but_within_reach(rank: int) -> None:
    milestone = next_milestone(rank)
    assert milestone is not None
    assert milestone < rank <= milestone * 10 / 3


@pytest.mark.parametrize(
    ("policy", "order", "needed"),
    [
        (TiePolicy.EARLIEST_FIRST, SortOrder.DESCENDING, 21),
        (TiePolicy.COMPETITION, SortOrder.DESCENDING, 20),
        (TiePolicy.DENSE, SortOrder.DESCENDING, 20),
    ],
)
def test_points_needed_depends_on_who_wins_a_tie(policy: TiePolicy, order: SortOrder, needed: int) -> None:
    assert points_needed(Pair(100), Pair(120), policy, order) == needed


@pytest.mark.parametrize(("policy", "needed"), [(TiePolicy.EARLIEST_FIRST, 21), (TiePolicy.DENSE, 20)])
def test_points_needed_is_positive_where_fewer_is_better(policy: TiePolicy, needed: int) -> None:
    assert points_needed(Pair(120), Pair(100), policy, SortOrder.ASCENDING) == needed


@pytest.mark.parametrize("policy", TiePolicy)
@pytest.mark.parametrize("order", SortOrder)
def test_an_equal_score_needs_one_point(policy: TiePolicy, order: SortOrder) -> None:
    assert points_needed(Pair(100), Pair(100), policy, order) == 1


@pytest.mark.parametrize(
    ("previous", "rank", "words"),
    [
        (20, 16, "You moved up 4 ranks!"),
        (2, 1, "You moved up 1 rank!"),
        (4, 5, "You moved down 1 rank"),
        (4, 14, "You moved down 10 ranks"),
        (7, 7, ""),
        (0, 0, ""),
        (0, 12, "You entered the board at rank 12"),
        (12, 0, "You left the board"),
    ],
)
def test_words_of_a_move(previous: int, rank: int, words: str) -> None:
    assert movement_message(previous, rank) == words
