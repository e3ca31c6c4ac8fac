"""Where users belong, as the ledger says it and the boards take it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from laurel_server.domain.boards import BoardKey


class Placement(NamedTuple):
    """Where one user belongs: his totals by period (score, reached), the boards he is on and those he has left.

    `version` is that of the user's row; a board that knows a newer one ignores the placement.
    """

    user_id: str
    version: int
    totals: Mapping[str, tuple[int, int]]
    boards: Sequence[BoardKey]
    left: Sequence[BoardKey] = ()


def by_board(placements: Sequence[Placement]) -> list[list[Placement]]:
    """Return the placements taken apart: those on each board by themselves."""
    parts: dict[BoardKey, list[Placement]] = {}
    for placement in placements:
        for board in placement.boards:
            parts.setdefault(board, []).append(placement._replace(boards=(board,), left=()))
        for board in placement.left:
            parts.setdefault(board, []).append(placement._replace(boards=(), left=(board,)))
    return list(parts.values())
