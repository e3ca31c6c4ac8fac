"""Putting many users on boards for nobody who waits for ranks: script calls of `fill.lua`."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from laurel_server.domain.boards import BoardKey
from laurel_server.leaderboards.placement import Placement
from laurel_server.redis.keys import board_keys, tie

MOST_USERS: Final = 2000
"""Users in one call: Lua passes at most some thousand arguments on."""

_encode = msgspec.msgpack.Encoder().encode
_tie = tie.__wrapped__  # a fill meets each tie once a user, so that nothing is gained by keeping it


class _Lists:
    """What one board gets."""

    __slots__ = ("entries", "standings", "users")

    def __init__(self) -> None:
        self.users: list[str] = []
        self.standings: list[int | str] = []
        self.entries: list[str] = []


class FillCall:
    """One call: users with the boards that they are on."""

    def __init__(self, placements: Sequence[Placement]) -> None:
        self._boards: dict[BoardKey, _Lists] = {}
        # Most users of a call share their boards.
        self._groups: dict[Sequence[BoardKey], list[tuple[str, list[_Lists]]]] = {}
        for placement in placements:
            self._add(placement)

    @property
    def boards(self) -> Sequence[BoardKey]:
        """The boards that it fills."""
        return tuple(self._boards)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that it names."""
        return tuple(name for board in self._boards for name in board_keys(board))

    def encode(self) -> bytes:
        """Return the msgpack form."""
        return _encode([(each.users, each.standings, each.entries) for each in self._boards.values()])

    def _add(self, placement: Placement) -> None:
        user_id, version, totals, boards, _ = placement
        for period_id, lists in self._groups.get(boards) or self._group(boards):
            score, reached = totals[period_id]
            place = _tie(reached)
            member, entry = place + user_id, f"{place}{version}"
            for each in lists:
                each.users.append(user_id)
                each.standings += (score, member)
                each.entries += (user_id, entry)

    def _group(self, boards: Sequence[BoardKey]) -> list[tuple[str, list[_Lists]]]:
        """Return the boards by period, because boards over one period share the score."""
        periods: dict[str, list[_Lists]] = {}
        for board in boards:
            periods.setdefault(board.period_id, []).append(self._boards.setdefault(board, _Lists()))
        group = self._groups[boards] = list(periods.items())
        return group


def apart(placements: Sequence[Placement]) -> tuple[list[Placement], list[Placement]]:
    """Return those placements that only put their users on boards, and those that also take them off some.

    Who is on no board and leaves none is in neither.
    """
    fills: list[Placement] = []
    moves: list[Placement] = []
    for placement in placements:
        _, _, totals, boards, left = placement
        for board in boards:
            total = totals.get(board.period_id)
            if total is None or total[0] <= 0:
                moves.append(placement)
                break
        else:
            if left:
                moves.append(placement)
            elif boards:
                fills.append(placement)
    return fills, moves


def fill_calls(placements: Sequence[Placement], users_at_once: int) -> Iterator[FillCall]:
    """Yield the calls for placements that take nobody off a board, and whose boards are tuples, so many users each."""
    size = min(users_at_once, MOST_USERS)
    return (FillCall(placements[start : start + size]) for start in range(0, len(placements), size))
