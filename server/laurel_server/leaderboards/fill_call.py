"""Script calls of `fill.lua`, which puts many users on boards and tells no ranks."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

import msgspec

from laurel_server.domain.boards import BoardKey
from laurel_server.leaderboards.placement import Placement
from laurel_server.redis.keys import board_keys

T = TypeVar("T")
S = TypeVar("S")

MOST_USERS: Final = 2000
"""Users on one board in one call: Lua passes at most some thousand arguments on."""

ROWS_BESIDE_AWARDS: Final = 128
"""Rows in one call where nobody fills boards: it holds Redis for 1 ms. With 2,000 it would for 14 ms, and 500 users on
eight boards each would not be there any sooner."""

Row: TypeAlias = tuple[int, str, str, str]
"""A user on a board: score, member (tie and user id), user id, entry (tie and version). Rows sort as boards do."""

_encode = msgspec.msgpack.Encoder().encode


class FillCall:
    """One call: boards, each with at most `MOST_USERS` rows, and with no user twice."""

    def __init__(self, rows: Mapping[BoardKey, Sequence[Row]]) -> None:
        self._rows = rows

    @property
    def boards(self) -> Sequence[BoardKey]:
        """The boards that it fills."""
        return tuple(self._rows)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that it names."""
        return tuple(name for board in self._rows for name in board_keys(board))

    def encode(self) -> bytes:
        """Return the msgpack form."""
        return _encode([_columns(rows) for rows in self._rows.values()])


def _columns(rows: Sequence[Row]) -> tuple[Sequence[str], list[int | str], list[str]]:
    scores, members, users, entries = zip(*rows, strict=True)
    return users, _in_turn(scores, members), _in_turn(users, entries)


def _in_turn(first: Sequence[T], second: Sequence[S]) -> list[T | S]:
    both: list[Any] = [None] * (2 * len(first))
    both[::2], both[1::2] = first, second
    return both


def apart(placements: Sequence[Placement]) -> tuple[list[Placement], list[Placement]]:
    """Return what placements put users on, and what they take them off.

    Who is on no board and leaves none is in neither.
    """
    on: list[Placement] = []
    off: list[Placement] = []
    for placement in placements:
        _, _, totals, boards, left = placement
        for board in boards:
            total = totals.get(board.period_id)
            if total is None or total[0] <= 0:
                boards, left = _by_points(placement)
                break
        if boards:
            on.append(placement._replace(boards=boards, left=()) if left else placement)
        if left:
            off.append(placement._replace(boards=(), left=left))
    return on, off


def _by_points(placement: Placement) -> tuple[Sequence[BoardKey], Sequence[BoardKey]]:
    """Return on which boards he has points, and on which he has none, or which he has left."""
    boards: list[BoardKey] = []
    left = list(placement.left)
    for board in placement.boards:
        total = placement.totals.get(board.period_id)
        (left if total is None or total[0] <= 0 else boards).append(board)
    return tuple(boards), tuple(left)
