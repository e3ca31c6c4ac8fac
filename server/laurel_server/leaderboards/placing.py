"""Where members of the ledger belong: the boards that list them, and their placements on those."""

from collections.abc import Container, Iterable
from functools import lru_cache
from typing import Final

from laurel_server.domain.boards import BoardKey, BoardMatrix, Membership
from laurel_server.domain.periods import period_type_of
from laurel_server.domain.tiers import Tier
from laurel_server.leaderboards.placement import Placement
from laurel_server.postgres.standings import Member


def boards_of(member: Member, matrix: BoardMatrix) -> tuple[BoardKey, ...]:
    """Return every board over the member's totals on which he takes a position."""
    return _boards(matrix, member.membership, member.scopes, tuple(member.totals))


# Most users share the answer, and a rebuild asks for each: without this it would spend most of its time here.
@lru_cache(maxsize=65_536)
def _boards(
    matrix: BoardMatrix, membership: Membership, scopes: tuple[str, ...] | None, period_ids: tuple[str, ...]
) -> tuple[BoardKey, ...]:
    return tuple(
        BoardKey(scope, period_id)
        for period_id in period_ids
        for scope in (matrix.boards_of(membership, period_type_of(period_id)) if scopes is None else scopes)
    )


def placement_of(
    member: Member, matrix: BoardMatrix, left: Iterable[BoardKey] = (), tiers: Iterable[Tier] = ()
) -> Placement:
    """Return where a member belongs now; he is taken off boards that he has `left`, and off those of `tiers` he had.

    On boards of the past nobody moves any more.
    """
    boards = boards_of(member, matrix)
    if member.scopes is not None:
        return Placement(member.user_id, member.version, member.totals, boards)
    off = {*left, *_boards_of_tiers(matrix, frozenset(tiers), tuple(member.totals))}.difference(boards)
    return Placement(member.user_id, member.version, member.totals, boards, tuple(sorted(off)))


MOST_CHOSEN: Final = 65_536
"""Answers that a `Placing` keeps: where everybody has segments of his own, there would be one for each user."""


class Placing:
    """Places members on those of their boards that are `wanted`, of which no more become so meanwhile."""

    def __init__(self, matrix: BoardMatrix, wanted: Container[BoardKey]) -> None:
        self._matrix = matrix
        self._wanted = wanted
        self._chosen: dict[object, tuple[Membership, tuple[BoardKey, ...]]] = {}

    def __call__(self, member: Member) -> Placement:
        """Return the member's placement."""
        # By the very object of the membership, which many share: hashing what is in it would take most of the time.
        key = (id(member.membership), member.scopes, tuple(member.totals))
        chosen = self._chosen.get(key)
        if chosen is None:
            if len(self._chosen) >= MOST_CHOSEN:
                self._chosen.clear()
            boards = tuple(board for board in boards_of(member, self._matrix) if board in self._wanted)
            chosen = self._chosen[key] = (member.membership, boards)
        return Placement(member.user_id, member.version, member.totals, chosen[1])


@lru_cache(maxsize=4096)
def _boards_of_tiers(
    matrix: BoardMatrix, tiers: frozenset[Tier], period_ids: tuple[str, ...]
) -> frozenset[BoardKey]:
    return frozenset(
        BoardKey(f"tier:{tier.name.lower()}", period_id)
        for period_id in period_ids
        for tier in tiers
        if matrix.contains(f"tier:{tier.name.lower()}", period_type_of(period_id))
    )
