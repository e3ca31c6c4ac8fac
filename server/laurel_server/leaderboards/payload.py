"""The form in which `project.lua` takes placements, and what it replies."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec

from laurel_server.domain.boards import BoardKey
from laurel_server.domain.ledger import BoardRank
from laurel_server.leaderboards.placement import Placement, by_board
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.keys import BOARD_CHANGES, board_keys, signal_of, tie
from laurel_server.redis.scripts import script

MAX_PLACEMENTS = 128
"""Users in one script call: more would hold up every read of a rank for over 10 ms."""

_NOTHING = (0, 0)

_encode = msgspec.msgpack.Encoder().encode


class _OnPeriod:
    """What one period adds to a script call, by position of the user."""

    __slots__ = ("entries", "number", "scores")

    def __init__(self, number: int, users: int) -> None:
        self.number = number
        self.scores = [0] * users
        self.entries = [""] * users


class _OnBoard:
    """The part of a script call that concerns one board; positions count users from 1, as Lua does."""

    __slots__ = ("off", "on", "period")

    def __init__(self, period: _OnPeriod) -> None:
        self.period = period
        self.on: list[int] = []
        self.off: list[int] = []


class Payload:
    """Collects placements in the form of `project.lua`."""

    def __init__(self, placements: Sequence[Placement]) -> None:
        self.placements = placements
        self.boards: dict[BoardKey, _OnBoard] = {}
        self._periods: dict[str, _OnPeriod] = {}
        # Most users of a batch share their boards, or even the very object that names them.
        self._groups: dict[tuple[BoardKey, ...], list[tuple[str, _OnPeriod, list[_OnBoard]]]] = {}
        for position, placement in enumerate(placements, start=1):
            self._add(position, placement)

    def _add(self, position: int, placement: Placement) -> None:
        totals = placement.totals
        for period_id, on_period, boards in self._group(tuple(placement.boards)):
            score, reached = totals.get(period_id, _NOTHING)
            if score <= 0:
                for board in boards:
                    board.off.append(position)
                continue
            on_period.scores[position - 1] = score
            on_period.entries[position - 1] = f"{tie(reached)}{placement.version}"
            for board in boards:
                board.on.append(position)
        for left in placement.left:
            self._board(left).off.append(position)

    def _group(self, boards: tuple[BoardKey, ...]) -> list[tuple[str, _OnPeriod, list[_OnBoard]]]:
        """Return the boards by period, because boards over one period share the score."""
        group = self._groups.get(boards)
        if group is None:
            by_period: dict[str, list[_OnBoard]] = {}
            for board in boards:
                by_period.setdefault(board.period_id, []).append(self._board(board))
            group = [(period_id, self._period(period_id), found) for period_id, found in by_period.items()]
            self._groups[boards] = group
        return group

    def _board(self, board: BoardKey) -> _OnBoard:
        found = self.boards.get(board)
        if found is None:
            found = self.boards[board] = _OnBoard(self._period(board.period_id))
        return found

    def _period(self, period_id: str) -> _OnPeriod:
        found = self._periods.get(period_id)
        if found is None:
            found = self._periods[period_id] = _OnPeriod(len(self._periods) + 1, len(self.placements))
        return found

    def encode(self, created: Collection[BoardKey], *, ranked: bool) -> bytes:
        """Return the msgpack form."""
        return _encode(
            (
                [placement.user_id for placement in self.placements],
                [placement.version for placement in self.placements],
                [(each.scores, each.entries) for each in self._periods.values()],
                [
                    (each.period.number, each.on, each.off, int(board in created))
                    for board, each in self.boards.items()
                ],
                int(ranked),
            )
        )

    def read(
        self,
        results: Sequence[Any],
        ranks: dict[str, list[BoardRank]],
        is_filling: Callable[[BoardKey], bool],
    ) -> bool:
        """Add the ranks in a result; return whether every board that users are on was complete.

        Of a board that a user has left it does not matter: perhaps nobody was ever on it. A board that is being filled
        for the first time has no ranks yet, and the others need not wait for it.
        """
        complete = True
        told = [ranks.setdefault(placement.user_id, []) for placement in self.placements]
        for (board, on_board), (whole, total, old, new, stood) in zip(
            self.boards.items(), results, strict=True
        ):
            if is_filling(board):
                continue
            complete = complete and bool(whole or not on_board.on)
            scores = on_board.period.scores
            for position, before, now in zip(on_board.on, old, new, strict=False):  # empty if not ranked
                told[position - 1].append(
                    BoardRank(board, _rank(now), _rank(before), scores[position - 1], total)
                )
            for position, before in zip(on_board.off, stood, strict=False):
                # Out of points; boards of another tier or country are not told.
                if board in self.placements[position - 1].boards:
                    told[position - 1].append(BoardRank(board, 0, _rank(before), 0, total))
        return complete


def _rank(position: int | bool) -> int:
    return 0 if position is False else position + 1


def payloads(placements: Sequence[Placement], size: int, *, one_board: bool) -> list[Payload]:
    """Return the script calls for placements: `size` users each, and `one_board` each on a cluster."""
    parts = by_board(placements) if one_board else [placements]
    return [Payload(part[start : start + size]) for part in parts for start in range(0, len(part), size)]


async def run(redis: RedisConnection, payload: Payload, body: bytes, *, tell: bool) -> list[Any]:
    """Run `project.lua`. RedisUnavailable."""
    keys = tuple(name for board in payload.boards for name in board_keys(board))
    channel, signal = (BOARD_CHANGES, signal_of(payload.boards)) if tell else ("", "")
    results: list[Any] = await script("project").run(redis, keys, body, channel, signal)
    return results
