"""What changed for somebody who watches: his own standing, or the top of a board."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from laurel_server.domain.ranks import movement_message
from laurel_server.domain.views import Line


class Standing(NamedTuple):
    """A user's rank and score on a board."""

    rank: int
    score: int


OFF_BOARD: Final = Standing(0, 0)
"""The standing of a user whom the board does not list."""


class Movement(NamedTuple):
    """The way from the standing that was told last to the present one.

    `points_earned` is the difference of the scores: negative after a loss, 0 when only others moved.
    """

    previous_rank: int
    points_earned: int
    message: str


_FIRST = Movement(previous_rank=0, points_earned=0, message="")


def movement(told: Standing | None, now: Standing) -> Movement:
    """Return what to say of the way from `told` to `now`; with nothing told before there is none."""
    if told is None:
        return _FIRST
    return Movement(told.rank, now.score - told.score, movement_message(told.rank, now.rank))


class TopChange(NamedTuple):
    """What makes one list of the best out of another: lines that are new or differ, and users that left."""

    changed: tuple[Line, ...]
    removed: tuple[str, ...]


def top_change(before: Sequence[Line], after: Sequence[Line]) -> TopChange:
    """Return the difference between two lists of the best. O(len(before) + len(after)).

    Whoever drops the removed users from `before`, puts in the changed lines by user and sorts by rank has
    `after`.
    """
    old = {line.user_id: line for line in before}
    changed = tuple(line for line in after if old.pop(line.user_id, None) != line)
    return TopChange(changed, tuple(old))
