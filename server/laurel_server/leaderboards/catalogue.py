"""Which boards there are, as this process knows it now."""

from laurel_server.domain.boards import BoardKey, BoardMatrix, Traits


class Catalogue:
    """The configured boards. Whoever reads the rules puts in what is newer; all others look here each time."""

    def __init__(self, matrix: BoardMatrix | None = None) -> None:
        self._matrix = matrix or BoardMatrix()

    @property
    def matrix(self) -> BoardMatrix:
        """Which points boards there are."""
        return self._matrix

    def traits_of(self, board: BoardKey) -> Traits:
        """Return how a board ranks; a board that is gone is plain."""
        return self._matrix.traits_of(board)
