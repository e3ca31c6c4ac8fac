"""Scores on score boards: what a new one does to the one that a user has."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import NamedTuple

from laurel_server.domain.board_configs import BoardConfig, BoardKind, ScoreOperator, board_not_found
from laurel_server.domain.boards import GLOBAL, BoardKey, ScopeKind, SortOrder, parse_scope
from laurel_server.domain.decimals import MAX_EXACT
from laurel_server.domain.errors import LaurelError, Reason, invalid_field
from laurel_server.domain.ledger import BoardRank, RankState
from laurel_server.domain.periods import Period
from laurel_server.domain.ranks import Pair
from laurel_server.domain.resets import named_reset_period, reset_period

_ZERO = Pair(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreCommand:
    """What a caller asks for: a score for a user, or that he is taken off (`is_removal`).

    `family` is the RPC whose request ids these are. `operator` None: that of the board.
    """

    family: str
    caller: str
    request_id: str
    request_hash: bytes
    scope: str
    period_id: str
    user_id: str
    pair: Pair = _ZERO
    metadata: Mapping[str, str]
    operator: ScoreOperator | None = None
    is_removal: bool = False


@dataclass(frozen=True, slots=True)
class ScoreAnswer:
    """What a caller learns. `updated`: the stored pair changed, or the user was taken off."""

    rank: BoardRank
    updated: bool
    replayed: bool
    rank_state: RankState


class Score(NamedTuple):
    """What a user has on a score board. `reached`: when the pair last changed; `version`: when the row did."""

    pair: Pair
    reached: int
    version: int
    metadata: Mapping[str, str]


def board_of(scope: str, boards: Mapping[str, BoardConfig]) -> BoardConfig:
    """Return the score board with that id. INVALID_FIELD for a points board, BOARD_NOT_FOUND."""
    parsed = parse_scope(scope)
    config = boards.get(parsed.text)
    if parsed.kind is not ScopeKind.BOARD or (config is not None and config.kind is BoardKind.POINTS):
        raise invalid_field(
            "board.scope", f"{(scope or GLOBAL)[:64]!r} is a points board; its scores are the ledger's"
        )
    if config is None:
        raise board_not_found(parsed.text)
    return config


def period_to_write(config: BoardConfig, period_id: str, now: datetime, zone: tzinfo) -> Period:
    """Return the present reset period. PERIOD_CLOSED or PERIOD_NOT_FOUND for another one; INVALID_FIELD."""
    current = reset_period(config.reset_cron, now, zone)
    if not period_id or period_id == current.id:
        return current
    named = named_reset_period(config.reset_cron, period_id, zone)
    is_future = named.starts_at is not None and named.starts_at > now
    reason, words = (
        (Reason.PERIOD_NOT_FOUND, "has not begun") if is_future else (Reason.PERIOD_CLOSED, "is over")
    )
    raise LaurelError(reason, f"the period {named.id} {words}", metadata={"period_id": named.id})


def operate(config: BoardConfig, operator: ScoreOperator, stored: Pair | None, new: Pair) -> Pair:
    """Return the pair that a user has after `new`. SCORE_OUT_OF_RANGE beyond the bounds of the board or 2^53."""
    if operator is ScoreOperator.SUM and stored is not None:
        new = Pair(stored.score + new.score, stored.sub_score + new.sub_score)
    config.check_score(new.score)
    if abs(new.sub_score) > MAX_EXACT:
        raise LaurelError(
            Reason.SCORE_OUT_OF_RANGE,
            "the sub-score must be within +/- 2^53",
            metadata={"score": str(new.sub_score), "min": str(-MAX_EXACT), "max": str(MAX_EXACT)},
            field="sub_score",
        )
    if operator is ScoreOperator.BEST and stored is not None and not is_better(config, new, stored):
        return stored
    return new


def is_better(config: BoardConfig, one: Pair, other: Pair) -> bool:
    """Whether a pair stands before another that was there first."""
    return one > other if config.sort_order is SortOrder.DESCENDING else one < other


def updated_score(
    config: BoardConfig, command: ScoreCommand, stored: Score | None, sequence: int
) -> Score | None:
    """Return what the user has after the command; None: nothing changes. SCORE_OUT_OF_RANGE.

    Metadata goes with the pair: it is kept unless the new pair is worse and so ignored.
    """
    before = None if stored is None else stored.pair
    pair = operate(config, command.operator or config.operator, before, command.pair)
    if stored is None or pair != before:
        return Score(pair, sequence, sequence, command.metadata)
    is_ignored = pair != command.pair and (command.operator or config.operator) is ScoreOperator.BEST
    if is_ignored or command.metadata == stored.metadata:
        return None
    return Score(pair, stored.reached, sequence, command.metadata)


def not_ranked(board: BoardKey, score: int, total: int = 0) -> BoardRank:
    """Return the rank of who takes no position."""
    return BoardRank(board, 0, 0, score, total)
