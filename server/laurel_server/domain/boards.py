"""Boards: who competes with whom (the scope) over how long (the period)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from laurel_server.domain.errors import invalid_field
from laurel_server.domain.periods import PeriodType, period_type_of
from laurel_server.domain.tiers import Tier


class TiePolicy(IntEnum):
    """How equal scores are ranked; the list shows equals earliest first under each."""

    EARLIEST_FIRST = 1  # 1, 2, 3: who reached the score first, by the order of commits, stands higher
    COMPETITION = 2  # 1, 1, 3
    DENSE = 3  # 1, 1, 2


class SortOrder(IntEnum):
    """Which score is the better one."""

    DESCENDING = 1
    ASCENDING = 2


class BoardEffect(IntEnum):
    """Which points boards an award moves."""

    ALL = 1
    ALL_TIME_ONLY = 2
    NONE = 3


class Visibility(IntEnum):
    """Whether a user takes a position on boards."""

    PUBLIC = 1
    HIDDEN = 2  # opted out or banned: on no board
    SHADOW = 3  # on no board, but shown to himself where he would stand


class BoardKey(NamedTuple):
    """One board instance: a canonical scope and a period id."""

    scope: str
    period_id: str


class ScopeKind(StrEnum):
    """What a scope selects by."""

    GLOBAL = "global"
    COUNTRY = "country"
    REGION = "region"
    TIER = "tier"
    SEGMENT = "segment"
    BOARD = "board"  # a score board, by its own id


class Scope(NamedTuple):
    """A parsed scope; `value` is empty for `global`."""

    kind: ScopeKind
    value: str = ""

    @property
    def text(self) -> str:
        """The canonical form, as in `BoardKey.scope`."""
        if self.kind is ScopeKind.BOARD:
            return self.value
        return f"{self.kind}:{self.value}" if self.value else str(self.kind)


GLOBAL: Final = ScopeKind.GLOBAL.value
ANY: Final = "*"
"""As the value of a family's scope (`country:*`): every country is a board of its own."""

_COUNTRY = re.compile(r"[A-Z]{2}")
_TIER = re.compile("|".join(tier.name.lower() for tier in Tier))
_NAME = re.compile(r"(?! )[^\x00-\x1f\x7f{}*:/]{1,64}(?<! )")
_BOARD_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_VALUES = {
    ScopeKind.COUNTRY: _COUNTRY,
    ScopeKind.REGION: _NAME,
    ScopeKind.TIER: _TIER,
    ScopeKind.SEGMENT: _NAME,
}


@lru_cache(maxsize=8192)  # every read names a board
def parse_scope(text: str, field: str = "board.scope") -> Scope:
    """Read `global`, `country:US`, `region:NAME`, `tier:gold`, `segment:NAME` or a score board's id.

    Empty is `global`; countries and tiers are taken in any case. INVALID_FIELD on another form.
    """
    kind, colon, value = text.partition(":")
    if not colon:
        return _parse_unqualified(text, field)
    if kind not in _VALUES:
        raise invalid_field(
            field, "must be global, country:XX, region:NAME, tier:NAME, segment:NAME or a board's id"
        )
    scope = Scope(ScopeKind(kind), _in_case(kind, value))
    if not _VALUES[scope.kind].fullmatch(scope.value):
        raise invalid_field(field, f"{value[:64]!r} is not the name of a {kind}")
    return scope


def _parse_unqualified(text: str, field: str) -> Scope:
    if text in {"", GLOBAL}:
        return Scope(ScopeKind.GLOBAL)
    if not _BOARD_ID.fullmatch(text):
        raise invalid_field(field, "must be 1 to 64 letters, digits, `_`, `.` or `-`")
    return Scope(ScopeKind.BOARD, text)


def _in_case(kind: str, value: str) -> str:
    match kind:
        case ScopeKind.COUNTRY:
            return value.upper()
        case ScopeKind.TIER:
            return value.lower()
        case _:
            return value


def is_board_id(text: str) -> bool:
    """Whether `text` can be the id of a board: 1 to 64 letters, digits, `_`, `.` or `-`, and not `global`."""
    return text != GLOBAL and _BOARD_ID.fullmatch(text) is not None


def is_score_board(scope: str) -> bool:
    """Whether a canonical scope is the id of a score board."""
    return scope != GLOBAL and ":" not in scope


class Traits(NamedTuple):
    """How a board orders its members and tells ranks. Score boards have sub-scores and metadata too.

    `slots` are the parts, each with keys of its own, over which its members are spread by hash.
    """

    tie_policy: TiePolicy = TiePolicy.EARLIEST_FIRST
    sort_order: SortOrder = SortOrder.DESCENDING
    has_scores: bool = False
    slots: int = 1

    @property
    def is_plain(self) -> bool:
        """Whether it is a points board in one piece whose rank is the position, as nearly all are."""
        return not self.has_scores and self.slots == 1 and self.tie_policy is TiePolicy.EARLIEST_FIRST


PLAIN: Final = Traits()


class WinnerBonus(NamedTuple):
    """What everyone at `rank` gets when a period of the board is closed."""

    rank: int
    points: int


@dataclass(frozen=True, slots=True)
class BoardFamily:
    """A configured points board. Its scope may end in `:*`, which stands for one board per value."""

    board_id: str
    display_name: str
    scope: str
    period_type: PeriodType
    tie_policy: TiePolicy = TiePolicy.EARLIEST_FIRST
    winner_bonuses: tuple[WinnerBonus, ...] = ()
    is_filled: bool = True
    """False while its boards are filled from the ledger, before they can be read."""
    board_no: int = 0
    """Tells a board from one that was deleted and had the same id."""
    slots: int = 1

    @property
    def traits(self) -> Traits:
        """How its boards rank."""
        return Traits(self.tie_policy, slots=self.slots)


def _bonuses(*points: int) -> tuple[WinnerBonus, ...]:
    return tuple(WinnerBonus(rank, amount) for rank, amount in enumerate(points, start=1))


DEFAULT_FAMILIES: Final = (
    BoardFamily(
        "global-daily", "Global, today", GLOBAL, PeriodType.DAILY, winner_bonuses=_bonuses(100, 50, 25)
    ),
    BoardFamily(
        "global-weekly",
        "Global, this week",
        GLOBAL,
        PeriodType.WEEKLY,
        winner_bonuses=_bonuses(1000, 500, 250),
    ),
    BoardFamily(
        "global-monthly",
        "Global, this month",
        GLOBAL,
        PeriodType.MONTHLY,
        winner_bonuses=_bonuses(5000, 2500, 1000),
    ),
    BoardFamily("global-all", "Global, all time", GLOBAL, PeriodType.ALL_TIME),
    BoardFamily("country-weekly", "Country, this week", "country:*", PeriodType.WEEKLY),
    BoardFamily("country-all", "Country, all time", "country:*", PeriodType.ALL_TIME),
    BoardFamily("tier-weekly", "Tier, this week", "tier:*", PeriodType.WEEKLY),
    BoardFamily("tier-all", "Tier, all time", "tier:*", PeriodType.ALL_TIME),
)


class Membership(NamedTuple):
    """What decides on which boards a user stands."""

    country: str
    region: str
    tier: Tier
    segments: tuple[str, ...]
    visibility: Visibility

    @property
    def as_seen_by_himself(self) -> "Membership":
        """The membership of a shadow user as if he were public; of all others as it is."""
        return self._replace(visibility=Visibility.PUBLIC) if self.visibility is Visibility.SHADOW else self

    def scopes(self) -> tuple[str, ...]:
        """Return every scope the user belongs to, in canonical form; none if he is not public."""
        if self.visibility is not Visibility.PUBLIC:
            return ()
        named = (
            (ScopeKind.COUNTRY, self.country),
            (ScopeKind.REGION, self.region),
            (ScopeKind.TIER, self.tier.name.lower()),
            *((ScopeKind.SEGMENT, segment) for segment in self.segments),
        )
        return (GLOBAL, *(Scope(kind, value).text for kind, value in named if value))


class BoardMatrix:
    """Which (scope, period type) pairs are boards. Immutable: a changed configuration is a new matrix."""

    def __init__(self, families: Iterable[BoardFamily] = DEFAULT_FAMILIES) -> None:
        self.families = tuple(families)
        self._by_board = {(family.scope, family.period_type): family for family in self.families}
        self.is_plain = all(family.traits.is_plain for family in self.families)
        """Whether every board ranks by position, so that nobody has to ask."""
        self.is_filled = all(family.is_filled for family in self.families)
        """Whether every board has everybody, so that nobody has to ask."""
        self._period_types = tuple(sorted({family.period_type for family in self.families}))
        # Users share memberships, so that an award mostly costs one look-up.
        self._boards_by_member = lru_cache(maxsize=65_536)(self._find_boards)

    def family_of(self, scope: str, period_type: PeriodType) -> BoardFamily | None:
        """Return the family that the board belongs to; its own configuration goes before that of `:*`."""
        kind, colon, _ = scope.partition(":")
        own = self._by_board.get((scope, period_type))
        return own or self._by_board.get((f"{kind}{colon}{ANY}", period_type)) if colon else own

    def traits_of(self, board: BoardKey) -> Traits:
        """Return how a points board ranks; one that is not in the matrix is plain."""
        if self.is_plain or is_score_board(board.scope):
            return PLAIN
        family = self.family_of(board.scope, period_type_of(board.period_id))
        return PLAIN if family is None else family.traits

    def is_filling(self, board: BoardKey) -> bool:
        """Whether the board is being filled from the ledger after a change of the configuration."""
        if self.is_filled or is_score_board(board.scope):
            return False
        family = self.family_of(board.scope, period_type_of(board.period_id))
        return family is not None and not family.is_filled

    def contains(self, scope: str, period_type: PeriodType) -> bool:
        """Whether the canonical `scope` has a board over `period_type`."""
        return self.family_of(scope, period_type) is not None

    def period_types(self) -> tuple[PeriodType, ...]:
        """Return the period types that any board counts in, shortest first."""
        return self._period_types

    def boards_of(self, member: Membership, period_type: PeriodType) -> tuple[str, ...]:
        """Return the scopes of the boards over `period_type` on which the member takes a position."""
        return self._boards_by_member(member).get(period_type, ())

    def _find_boards(self, member: Membership) -> dict[PeriodType, tuple[str, ...]]:
        scopes = dict.fromkeys(member.scopes())
        return {
            period_type: tuple(scope for scope in scopes if self.contains(scope, period_type))
            for period_type in self._period_types
        }
