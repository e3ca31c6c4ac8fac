"""Whose board instances are: a configuration of boards, asked from the side of the instances."""

from collections.abc import Iterable

from laurel_server.domain.board_configs import BoardConfig, BoardKind, by_id
from laurel_server.domain.boards import BoardKey, BoardMatrix, is_score_board
from laurel_server.domain.periods import PeriodType, period_type_of


class BoardOwners:
    """Tells of instances to which of the configured boards they belong."""

    def __init__(self, configs: Iterable[BoardConfig]) -> None:
        self._boards = by_id(list(configs))
        self._matrix = BoardMatrix(
            each.family for each in self._boards.values() if each.kind is BoardKind.POINTS
        )

    def owner_of(self, board: BoardKey) -> BoardConfig | None:
        """Return the board that an instance belongs to, None if there is none any more."""
        if is_score_board(board.scope):
            config = self._boards.get(board.scope)
            return config if config is not None and config.kind is BoardKind.SCORES else None
        return self.family_of(board.scope, period_type_of(board.period_id))

    def family_of(self, scope: str, period_type: PeriodType) -> BoardConfig | None:
        """Return the points board that instances with that scope and type of period belong to."""
        family = self._matrix.family_of(scope, period_type)
        return None if family is None else self._boards[family.board_id]

    def use_keys(self, board: BoardKey, slots: int) -> bool:
        """Whether an instance is laid out over so many slots, so that such keys are in use."""
        owner = self.owner_of(board)
        return owner is not None and owner.slots == slots

    def without(self, config: BoardConfig) -> "BoardOwners":
        """Return whose instances are once that board is gone."""
        return BoardOwners(each for each in self._boards.values() if each.board_id != config.board_id)

    def having(self, config: BoardConfig) -> "BoardOwners":
        """Return whose instances are once that board is there, or is as it says."""
        return BoardOwners({**self._boards, config.board_id: config}.values())
