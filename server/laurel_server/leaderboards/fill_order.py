"""In which order many users are put on boards: those with places near each other together."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from laurel_server.domain.boards import BoardKey
from laurel_server.leaderboards.fill_call import MOST_USERS, FillCall, Row
from laurel_server.leaderboards.placement import Placement
from laurel_server.redis.keys import tie

PARTS: Final = 256
"""Parts of all boards together, each of which holds the users of at most one call: some 30 MB of rows."""

_tie = tie.__wrapped__  # a fill meets each tie once a user, so that nothing is gained by keeping it


class FillOrder:
    """Rows that wait until there are enough for a call, by board and place.

    A sorted set of ten million is larger than the caches of a processor, and one that is filled in any other order than
    its own misses them at every step down its levels: with three million members Redis took 9.8 us a member where users
    came by number, 5.4 with their rows in 250 parts by place, and 4.2 where all were sorted.
    """

    def __init__(self, at_once: int, *, one_board: bool) -> None:
        """`at_once`: rows in one call; `one_board`: a call names no second board, as a cluster wants it."""
        self._at_once = min(at_once, MOST_USERS)
        self._one_board = one_board
        self._start()

    def _start(self) -> None:
        self._spare = PARTS
        self._boards: dict[BoardKey, _Parts] = {}
        # Most users share their boards.
        self._groups: dict[Sequence[BoardKey], list[tuple[str, list[tuple[BoardKey, _Parts]]]]] = {}

    def add(self, placements: Sequence[Placement]) -> Iterator[FillCall]:
        """Yield the calls that are full with these placements, which take nobody off, and whose boards are tuples."""
        for user_id, version, totals, boards, _ in placements:
            for period_id, parts in self._groups.get(boards) or self._group(boards):
                score, reached = totals[period_id]
                place = _tie(reached)
                row = (score, place + user_id, user_id, f"{place}{version}")
                for board, each in parts:
                    if each.add(row) >= self._at_once and (full := self._relieve(each, row)):
                        yield FillCall({board: full})

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

    def _group(self, boards: Sequence[BoardKey]) -> list[tuple[str, list[tuple[BoardKey, "_Parts"]]]]:
        """Return the boards by period, because boards over one period share the score."""
        periods: dict[str, list[tuple[BoardKey, _Parts]]] = {}
        for board in boards:
            parts = self._boards.setdefault(board, _Parts())
            periods.setdefault(board.period_id, []).append((board, parts))
        group = self._groups[boards] = list(periods.items())
        return group


class _Parts:
    """The rows of one board that wait, in parts by place."""

    __slots__ = ("_bounds", "_parts")

    def __init__(self) -> None:
        self._bounds: list[Row] = []  # the first row that belongs into each part but the first
        self._parts: list[list[Row]] = [[]]

    def add(self, row: Row) -> int:
        """Add a row, and return how many its part has. O(log parts)."""
        part = self._parts[bisect_right(self._bounds, row)]
        part.append(row)
        return len(part)

    def halve(self, row: Row) -> None:
        """Make two of the part with that row."""
        at = bisect_right(self._bounds, row)
        part = sorted(self._parts[at])
        middle = len(part) // 2
        self._parts[at : at + 1] = [part[:middle], part[middle:]]
        self._bounds.insert(at, part[middle])

    def take_part(self, row: Row) -> list[Row]:
        """Return the part with that row, sorted, which is empty from then on."""
        at = bisect_right(self._bounds, row)
        part, self._parts[at] = self._parts[at], []
        part.sort()
        return part

    def ordered(self) -> Iterator[list[Row]]:
        """Yield the parts that have rows, sorted."""
        for part in self._parts:
            if part:
                part.sort()
                yield part
