"""What reads and checks of boards return."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from laurel_server.domain.boards import BoardKey
from laurel_server.domain.periods import Period
from laurel_server.domain.tiers import Tier


@dataclass(frozen=True, slots=True)
class Board:
    """One board instance that exists, with its period."""

    key: BoardKey
    period: Period


@dataclass(frozen=True, slots=True)
class Line:
    """One position of a board with the profile of its holder. Ranks start at 1."""

    rank: int
    user_id: str
    score: int
    sub_score: int
    username: str
    avatar_url: str
    tier: Tier
    country: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines of a board, best first; `total` counts all its members, `read_at` is the time of reading."""

    board: Board
    lines: tuple[Line, ...]
    total: int
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Where one user stands, from rank 1 on."""

    board: Board
    user_id: str
    rank: int
    score: int
    total: int


class Target(NamedTuple):
    """A better rank and the points that a user lacks to stand there, at least 1."""

    rank: int
    points_needed: int


@dataclass(frozen=True, slots=True)
class Surrounding:
    """A user's place, the lines around it with his own, and what is next; None at rank 1."""

    place: Place
    lines: tuple[Line, ...]
    next_rank: Target | None
    next_milestone: Target | None


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What a rebuild did: boards filled, lines written to them, and how long it took."""

    boards: int
    members: int
    took: timedelta


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison of what must be equal; `detail` has the first differences in words."""

    name: str
    ok: bool
    checked: int
    mismatches: int
    detail: str
