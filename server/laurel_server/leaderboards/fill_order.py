"""In which order many users are put on boards: those with places near each other together."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from laurel_server.domain.boards import BoardKey
from laurel_server.leaderboards.fill_call import MOST_USERS, FillCall, Row
from laurel_server.leaderboards.placement import Placement
from laurel_server.redis.keys import tie

PARTS: Final = 256
"""Parts in which boards are halved, all together, each of which holds the users of at most one call."""

MOST_WAITING: Final = 200_000
"""Rows after which all are sent: where there are many small boards, of which none has enough for a call. Some 60 MB."""

MOST_GROUPS: Final = 65_536
"""Lists of boards whose parts are kept at hand: where everybody has segments of his own, there is one for each user."""

_tie = tie.__wrapped__  # a fill meets each tie once a user, so that nothing is gained by keeping it


class FillOrder:
    """Rows that wait until there are enough for a call, by board and place.

    A sorted set of ten million is larger than the caches of a processor, and one that is filled in any other order than
    its own misses them at every step down its levels: with three million members Redis took 9.8 us a member where users
    came by number, 5.4 with their rows in 250 parts by place, and 4.2 where all were sorted.
    """

    def __init__(self, at_once: int, *, one_board: bool) -> None:
        """`at_once`: rows in one call, of all its boards; `one_board`: it names one board, as a cluster wants it."""
        self._at_once = min(at_once, MOST_USERS)
        self._one_board = one_board
        self._start()

    def _start(self) -> None:
        self._spare = PARTS
        self._boards: dict[BoardKey, _Parts] = {}
        self._waiting = 0
        # Most users share their boards.
        self._groups: dict[Sequence[BoardKey], _Group] = {}

    def add(self, placements: Sequence[Placement]) -> Iterator[FillCall]:
        """Yield the calls that are full with these placements, which take nobody off, and whose boards are tuples."""
        at_once = self._at_once
        for user_id, version, totals, boards, _ in placements:
            for period_id, parts in self._groups.get(boards) or self._group(boards):
                score, reached = totals[period_id]
                place = _tie(reached)
                row = (score, place + user_id, user_id, f"{place}{version}")
                for board, each in parts:
                    part = each.parts[bisect_right(each.bounds, row)]
                    part.append(row)
                    if len(part) >= at_once and (full := self._relieve(each, row)):
                        self._waiting -= len(full)
                        yield FillCall({board: full})
        self._waiting += sum(len(placement.boards) for placement in placements)
        if self._waiting > MOST_WAITING:
            yield from self.rest()

    def rest(self) -> Iterator[FillCall]:
        """Yield the calls for all rows that still wait, those of small boards together; begin anew."""
        boards = self._boards
        self._start()
        rows: dict[BoardKey, list[Row]] = {}
        room = self._at_once
        for board, parts in boards.items():
            for part in parts.ordered():
                if rows and (self._one_board or len(part) > room):
                    yield FillCall(rows)
                    rows, room = {}, self._at_once
                rows.setdefault(board, []).extend(part)
                room -= len(part)
        if rows:
            yield FillCall(rows)

    def _relieve(self, parts: "_Parts", row: Row) -> list[Row]:
        """Return the full part with that row, or nothing where it could be halved."""
        if self._spare == 0:
            return parts.take_part(row)
        self._spare -= 1
        parts.halve(row)
        return []

    def _group(self, boards: Sequence[BoardKey]) -> "_Group":
        """Return the boards by period, because boards over one period share the score."""
        if len(self._groups) >= MOST_GROUPS:
            self._groups.clear()
        periods: dict[str, list[tuple[BoardKey, _Parts]]] = {}
        for board in boards:
            parts = self._boards.setdefault(board, _Parts())
            periods.setdefault(board.period_id, []).append((board, parts))
        group = self._groups[boards] = list(periods.items())
        return group


class _Parts:
    """The rows of one board that wait, in parts by place."""

    __slots__ = ("bounds", "parts")

    def __init__(self) -> None:
        # The first row that belongs into each part but the first: bisect finds the part of a row.
        self.bounds: list[Row] = []
        self.parts: list[list[Row]] = [[]]

    def halve(self, row: Row) -> None:
        """Make two of the part with that row."""
        at = bisect_right(self.bounds, row)
        part = sorted(self.parts[at])
        middle = len(part) // 2
        self.parts[at : at + 1] = [part[:middle], part[middle:]]
        self.bounds.insert(at, part[middle])

    def take_part(self, row: Row) -> list[Row]:
        """Return the part with that row, sorted, which is empty from then on."""
        at = bisect_right(self.bounds, row)
        part, self.parts[at] = self.parts[at], []
        part.sort()
        return part

    def ordered(self) -> Iterator[list[Row]]:
        """Yield the parts that have rows, sorted."""
        for part in self.parts:
            if part:
                part.sort()
                yield part


_Group: TypeAlias = list[tuple[str, list[tuple[BoardKey, _Parts]]]]
