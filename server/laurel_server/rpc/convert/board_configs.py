"""Configured boards."""

from laurel.admin.v1 import boards_pb2
from laurel.leaderboard.v1 import rules_pb2
from laurel.type.v1 import board_pb2
from laurel_server.domain.board_configs import BoardConfig, BoardKind, ScoreOperator
from laurel_server.domain.boards import SortOrder, TiePolicy, WinnerBonus, parse_scope
from laurel_server.domain.errors import invalid_field
from laurel_server.domain.periods import PeriodType

_FIELDS = {
    "display_name": "display_name",
    "kind": "kind",
    "scope": "scope",
    "period": "period_type",
    "reset_cron": "reset_cron",
    "operator": "operator",
    "sort_order": "sort_order",
    "tie_policy": "tie_policy",
    "max_entries": "max_entries",
    "winner_bonuses": "winner_bonuses",
    "min_score": "min_score",
    "max_score": "max_score",
    "slots": "slots",
}
"""What a mask can name, and the domain's word for it."""

_CHANGEABLE = _FIELDS.keys() - {"kind", "scope", "period", "sort_order"}


def read_board_config(message: boards_pb2.BoardConfig) -> BoardConfig:
    """Return the config in a valid `message`; unspecified choices get their defaults. INVALID_FIELD without a kind."""
    if not message.kind:
        raise invalid_field("board.kind", "must be BOARD_KIND_POINTS or BOARD_KIND_SCORES")
    return _config(message, BoardKind(message.kind))


def read_changes(message: boards_pb2.BoardConfig, paths: list[str]) -> tuple[BoardConfig, list[str]]:
    """Return the new values, and the fields to change by the domain's names. INVALID_FIELD for an unknown path."""
    unknown = [path for path in paths if path not in _FIELDS]
    if unknown:
        raise invalid_field("update_mask", f"{unknown[0][:60]!r} is no field that can be changed")
    names = [_FIELDS[path] for path in (paths or sorted(_CHANGEABLE))]
    return _config(message, BoardKind(message.kind or BoardKind.POINTS)), names


def write_board_config(target: boards_pb2.BoardConfig, config: BoardConfig) -> None:
    """Fill the empty `target` with a config as stored."""
    target.board_id = config.board_id
    target.display_name = config.display_name
    target.kind = boards_pb2.BoardKind.ValueType(config.kind)
    target.scope = config.scope
    target.period = board_pb2.Period.ValueType(config.period_type)
    target.reset_cron = config.reset_cron
    if config.kind is BoardKind.SCORES:
        target.operator = rules_pb2.ScoreOperator.ValueType(config.operator)
    target.sort_order = rules_pb2.SortOrder.ValueType(config.sort_order)
    target.tie_policy = rules_pb2.TiePolicy.ValueType(config.tie_policy)
    target.max_entries = config.max_entries
    target.slots = config.slots
    for rank, points in config.winner_bonuses:
        target.winner_bonuses.add(rank=rank, points=points)
    if config.min_score is not None:
        target.min_score = config.min_score
    if config.max_score is not None:
        target.max_score = config.max_score


def _config(message: boards_pb2.BoardConfig, kind: BoardKind) -> BoardConfig:
    is_points = kind is BoardKind.POINTS
    return BoardConfig(
        board_id=message.board_id,
        kind=kind,
        scope=_points_scope(message.scope) if is_points else message.scope or message.board_id,
        period_type=PeriodType(message.period or PeriodType.ALL_TIME) if is_points else PeriodType.ALL_TIME,
        display_name=message.display_name,
        reset_cron=message.reset_cron,
        operator=ScoreOperator(message.operator or ScoreOperator.BEST),
        sort_order=SortOrder(message.sort_order or SortOrder.DESCENDING),
        tie_policy=TiePolicy(message.tie_policy or TiePolicy.EARLIEST_FIRST),
        max_entries=message.max_entries,
        winner_bonuses=tuple(sorted(WinnerBonus(each.rank, each.points) for each in message.winner_bonuses)),
        min_score=message.min_score if message.HasField("min_score") else None,
        max_score=message.max_score if message.HasField("max_score") else None,
        slots=message.slots or 1,
    )


def _points_scope(text: str) -> str:
    """Return the canonical form of a scope or of a family of them."""
    return text if text.endswith(":*") else parse_scope(text).text
