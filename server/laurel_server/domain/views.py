"""What reads and checks of boards return."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from msgspec import Struct

from laurel_server.domain.boards import PLAIN, BoardKey, Traits
from laurel_server.domain.periods import Period
from laurel_server.domain.ranks import Pair
from laurel_server.domain.tiers import Tier


class Board(Struct, frozen=True):
    """One board instance that exists, with its period and how it ranks."""

    key: BoardKey
    period: Period
    traits: Traits = PLAIN


class ScoreRange(NamedTuple):
    """Scores from `lowest` to `highest`, both included; None: no bound. A bound of 0 is a bound."""

    lowest: int | None = None
    highest: int | None = None


ANY_SCORE: Final = ScoreRange()


class Line(Struct, frozen=True, gc=False):
    """One position of a board with the profile of its holder. Ranks start at 1."""

    rank: int
    user_id: str
    score: int
    sub_score: int
    username: str
    avatar_url: str
    tier: Tier
    country: str
    badges: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    """What was stored with the score, on score boards."""


class Page(Struct, frozen=True):
    """Some lines of a board, best first; `total` counts all its members, `read_at` is the time of reading.

    `marks` name the place of each line in the order of the board: a page may begin after it. `has_more` says whether
    lines follow.
    """

    board: Board
    lines: tuple[Line, ...]
    total: int
    read_at: datetime
    marks: Sequence[str] = ()
    has_more: bool = False


class Place(Struct, frozen=True):
    """Where one user stands, from rank 1 on."""

    board: Board
    user_id: str
    rank: int
    score: int
    total: int


class Standings(NamedTuple):
    """The ranks of some users on one board, by user id, and how many users it lists."""

    total: int
    ranks: Mapping[str, int]


class RanksOnBoard(NamedTuple):
    """The ranks of some users on one board, and how many it lists. The columns are in one order; rank 0: not on it."""

    board: BoardKey
    user_ids: Sequence[str]
    total: int
    ranks: Sequence[int]
    scores: Sequence[int]


class OwnRanks(NamedTuple):
    """Ranks and scores of some users on one board, by id, as each sees himself.

    `total` counts whom the board lists; it lists none of the `shadows`, who may have a rank all the same.
    """

    total: int
    ranks: Mapping[str, tuple[int, int]]
    shadows: Collection[str]


class Unlisted(NamedTuple):
    """What a user has who takes no position, and when he reached it: enough to tell where he would stand."""

    user_id: str
    pair: Pair
    reached: int


class Target(NamedTuple):
    """A better rank and the points that a user lacks to stand there, at least 1."""

    rank: int
    points_needed: int


class Surrounding(Struct, frozen=True):
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
