"""Which boards there are, as this process knows it now."""

from collections.abc import Mapping, Sequence

from laurel_server.domain.board_configs import BoardConfig, BoardKind, by_id, from_family
from laurel_server.domain.boards import DEFAULT_FAMILIES, BoardKey, BoardMatrix, Traits, is_score_board


class Catalogue:
    """The configured boards. Whoever reads the rules puts in what is newer; all others look here each time."""

    def __init__(self, configs: Sequence[BoardConfig] = tuple(map(from_family, DEFAULT_FAMILIES))) -> None:
        self.matrix = BoardMatrix(())
        """The points boards. The same object as long as they are the same: what is computed from it is kept."""
        self.boards: Mapping[str, BoardConfig] = {}
        """All boards by id."""
        self.put(configs)

    def put(self, configs: Sequence[BoardConfig]) -> None:
        """Know these boards from now on."""
        families = tuple(config.family for config in configs if config.kind is BoardKind.POINTS)
        if families != self.matrix.families:
            self.matrix = BoardMatrix(families)
        self.boards = by_id(configs)

    def score_board(self, board_id: str) -> BoardConfig | None:
        """Return a score board, None if there is none with that id."""
        config = self.boards.get(board_id)
        return config if config is not None and config.kind is BoardKind.SCORES else None

    def traits_of(self, board: BoardKey) -> Traits:
        """Return how a board ranks; a board that is gone is plain."""
        if is_score_board(board.scope):
            config = self.score_board(board.scope)
            return Traits() if config is None else config.traits
        return self.matrix.traits_of(board)

    def is_filling(self, board: BoardKey) -> bool:
        """Whether the board does not have everybody yet, after a change of its configuration."""
        if is_score_board(board.scope):
            config = self.score_board(board.scope)
            return config is not None and not config.is_filled
        return self.matrix.is_filling(board)
