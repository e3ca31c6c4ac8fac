"""Boards as operators configure them: points boards over the ledger, and score boards for anything else."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from laurel_server.domain.boards import (
    ANY,
    BoardFamily,
    ScopeKind,
    SortOrder,
    TiePolicy,
    Traits,
    WinnerBonus,
    is_board_id,
    parse_scope,
)
from laurel_server.domain.decimals import MAX_EXACT
from laurel_server.domain.errors import LaurelError, Reason, invalid_field
from laurel_server.domain.periods import PeriodType
from laurel_server.domain.resets import check_cron


class BoardKind(IntEnum):
    """Where the scores of a board come from."""

    POINTS = 1  # from the ledger: what users had in a period
    SCORES = 2  # from UpdateScore


class ScoreOperator(IntEnum):
    """What a new score does to the one that a user has."""

    BEST = 1  # the better pair of score and sub-score stays
    LAST = 2  # the new pair replaces the old one
    SUM = 3  # both are added


_FIXED = ("kind", "scope", "period_type", "sort_order")
"""What stays as it was when the board was created."""


@dataclass(frozen=True, slots=True)
class BoardConfig:
    """One configured board. The scope of a points board may end in `:*`; that of a score board is its id.

    0 in `max_entries` and None in the bounds are no limit. `board_no` is the ledger's own number, which a board that
    is created again does not share with the one before. `is_filled`: the board has everybody who belongs on it.
    `slots`: over how many keys, and so servers of a cluster, its members are spread.
    """

    board_id: str
    kind: BoardKind
    scope: str
    period_type: PeriodType = PeriodType.ALL_TIME
    display_name: str = ""
    reset_cron: str = ""
    operator: ScoreOperator = ScoreOperator.BEST
    sort_order: SortOrder = SortOrder.DESCENDING
    tie_policy: TiePolicy = TiePolicy.EARLIEST_FIRST
    max_entries: int = 0
    winner_bonuses: tuple[WinnerBonus, ...] = ()
    min_score: int | None = None
    max_score: int | None = None
    board_no: int = 0
    is_filled: bool = True
    slots: int = 1

    @property
    def family(self) -> BoardFamily:
        """The board as the matrix of points boards has it."""
        return BoardFamily(
            self.board_id,
            self.display_name,
            self.scope,
            self.period_type,
            self.tie_policy,
            self.winner_bonuses,
            self.is_filled,
            self.board_no,
            self.slots,
        )

    @property
    def traits(self) -> Traits:
        """How the board ranks."""
        return Traits(self.tie_policy, self.sort_order, self.kind is BoardKind.SCORES, self.slots)

    def validate(self) -> None:
        """INVALID_FIELD, named below `board.`, for a config that makes no sense."""
        if not is_board_id(self.board_id):
            raise invalid_field(
                "board.board_id", "must be 1 to 64 letters, digits, `_`, `.` or `-`, not `global`"
            )
        if self.kind is BoardKind.POINTS:
            self._validate_points()
        else:
            self._validate_scores()
        if self.slots > 1 and self.tie_policy is TiePolicy.DENSE:
            raise invalid_field(
                "board.slots", "must be 1 under TIE_POLICY_DENSE, whose rank is no sum over slots"
            )
        ranks = [bonus.rank for bonus in self.winner_bonuses]
        if len(set(ranks)) < len(ranks):
            raise invalid_field("board.winner_bonuses", "must name each rank once")

    def check_score(self, score: int) -> None:
        """SCORE_OUT_OF_RANGE for a score beyond +/- 2^53 or the bounds of the board."""
        lowest = -MAX_EXACT if self.min_score is None else self.min_score
        highest = MAX_EXACT if self.max_score is None else self.max_score
        if not lowest <= score <= highest:
            raise LaurelError(
                Reason.SCORE_OUT_OF_RANGE,
                f"the score must be from {lowest} to {highest}",
                metadata={"score": str(score), "min": str(lowest), "max": str(highest)},
                field="score",
            )

    def changed(self, wanted: "BoardConfig", fields: Iterable[str]) -> "BoardConfig":
        """Return the config with these fields of `wanted`. INVALID_FIELD if one of them is fixed, or as `validate`."""
        changes = {name: getattr(wanted, name) for name in fields}
        for name in _FIXED:
            if name in changes and changes[name] != getattr(self, name):
                field = "period" if name == "period_type" else name
                raise invalid_field(f"board.{field}", "cannot be changed; create another board")
        config = replace(self, **changes)
        config.validate()
        return config

    def _validate_points(self) -> None:
        scope, _, value = self.scope.partition(":")
        if value == ANY:
            parse_scope(f"{scope}:{'US' if scope == ScopeKind.COUNTRY else 'gold'}", "board.scope")
        elif parse_scope(self.scope, "board.scope").kind is ScopeKind.BOARD:
            raise invalid_field("board.scope", "must be global, country:…, region:…, tier:… or segment:…")
        refused = {
            "reset_cron": bool(self.reset_cron),
            "sort_order": self.sort_order is not SortOrder.DESCENDING,
            "max_entries": bool(self.max_entries),
            "min_score": self.min_score is not None,
            "max_score": self.max_score is not None,
        }
        for field, is_set in refused.items():
            if is_set:
                raise invalid_field(f"board.{field}", "belongs to score boards")

    def _validate_scores(self) -> None:
        if self.scope != self.board_id:
            raise invalid_field("board.scope", "of a score board is its id; leave it empty")
        if self.reset_cron:
            check_cron(self.reset_cron, "board.reset_cron")
        if self.min_score is not None and self.max_score is not None and self.min_score > self.max_score:
            raise invalid_field("board.min_score", "must not be above max_score")


def from_family(family: BoardFamily) -> BoardConfig:
    """Return a points board as a config."""
    return BoardConfig(
        family.board_id,
        BoardKind.POINTS,
        family.scope,
        family.period_type,
        family.display_name,
        tie_policy=family.tie_policy,
        winner_bonuses=family.winner_bonuses,
    )


def by_id(configs: Sequence[BoardConfig]) -> Mapping[str, BoardConfig]:
    """Return the configs by their ids."""
    return {config.board_id: config for config in configs}


def board_not_found(board_id: str) -> LaurelError:
    """Return the error for a board that is not configured."""
    return LaurelError(Reason.BOARD_NOT_FOUND, f"there is no board {board_id}", metadata={"board": board_id})
