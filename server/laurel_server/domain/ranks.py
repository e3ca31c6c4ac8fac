"""What a rank means: percentiles, neighbours, milestones and words."""

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Final, NamedTuple, Protocol

from laurel_server.domain.boards import SortOrder, TiePolicy

MILESTONES: Final = (1, 3, 10, 20, 50, *(step * 10**power for power in range(15) for step in (100, 250, 500)))
_BRACKETS = (1, 5, 10)


def top_percent(rank: int, total: int) -> float:
    """Return `rank / total x 100` to 2 decimals, halves up (rank 16 of 125,000: 0.01).

    A rank read a moment before the total may exceed it; it then counts as the last one. ValueError below 1.
    """
    return _top_hundredths(rank, total) / 100


def percentile(rank: int, total: int) -> float:
    """Return `(1 - rank / total) x 100` to 2 decimals (rank 16 of 125,000: 99.99).

    Halves go down, so that percentile and top percent always add up to 100.
    """
    return (10_000 - _top_hundredths(rank, total)) / 100


def in_top_percent(rank: int, total: int, percent: int | Decimal) -> bool:
    """Whether `rank` is among the first `ceil(total x percent / 100)`."""
    # Ranks are whole: rank <= ceil(x) exactly if rank - 1 < x.
    return (rank - 1) * 100 < total * percent


def bracket(rank: int, total: int) -> str:
    """Return TOP_1_PERCENT, TOP_5_PERCENT, TOP_10_PERCENT, or "" further down."""
    return next(
        (f"TOP_{percent}_PERCENT" for percent in _BRACKETS if in_top_percent(rank, total, percent)), ""
    )


def next_milestone(rank: int) -> int | None:
    """Return the next better of 1, 3, 10, 20, 50, 100, 250, 500, 1000, 2500, ...; None from rank 1."""
    better = bisect_left(MILESTONES, rank)
    return MILESTONES[better - 1] if better else None


class Pair(NamedTuple):
    """What a board orders by: the score, and the sub-score among equals (0 where there is none)."""

    score: int
    sub_score: int = 0


def points_needed(
    own: Pair,
    target: Pair,
    tie_policy: TiePolicy = TiePolicy.EARLIEST_FIRST,
    sort_order: SortOrder = SortOrder.DESCENDING,
) -> int:
    """Return by how many points a score must improve to stand where the holder of `target` stands.

    With the same score and sub-score one shares his rank under COMPETITION and DENSE; under EARLIEST_FIRST he stays
    ahead, since he was there first. At least 1, on ascending boards (where fewer is better) too.
    """
    sign = 1 if sort_order is SortOrder.DESCENDING else -1
    gap = sign * (target.score - own.score)
    lead = sign * (own.sub_score - target.sub_score)
    is_level_enough = lead > 0 or (lead == 0 and tie_policy is not TiePolicy.EARLIEST_FIRST)
    return max(1, gap if is_level_enough else gap + 1)


class Scored(Protocol):
    """What has a place in the order of a board."""

    @property
    def pair(self) -> Pair:
        """What it is ordered by."""
        ...


def ranks_in_list(lines: Sequence[Scored], position: int, rank: int, tie_policy: TiePolicy) -> Sequence[int]:
    """Return the ranks of a stretch of a board, best first, whose first line has `position` (from 0) and `rank`."""
    if tie_policy is TiePolicy.EARLIEST_FIRST:
        return range(rank, rank + len(lines))
    ranks = [rank] if lines else []
    for at, (before, pair) in enumerate(pairwise(line.pair for line in lines), start=position + 1):
        if pair == before:
            ranks.append(ranks[-1])
        else:
            ranks.append(ranks[-1] + 1 if tie_policy is TiePolicy.DENSE else at + 1)
    return ranks


def movement_message(previous: int, rank: int) -> str:
    """Return the words for a move between two ranks, 0 being off the board; "" without a move."""
    if rank == previous:
        return ""
    if not previous:
        return f"You entered the board at rank {rank}"
    if not rank:
        return "You left the board"
    steps = abs(previous - rank)
    ranks = "1 rank" if steps == 1 else f"{steps} ranks"
    return f"You moved up {ranks}!" if rank < previous else f"You moved down {ranks}"


def _top_hundredths(rank: int, total: int) -> int:
    if rank < 1:
        raise ValueError(f"rank {rank} is not on the board")
    members = max(rank, total)
    return (rank * 20_000 + members) // (2 * members)
