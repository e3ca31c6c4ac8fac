"""The score boards in their present reset periods."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from laurel_server.domain.board_configs import BoardKind
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.clock import Clock
from laurel_server.domain.views import Board
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.queries import BoardQueries

_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class PresentBoards:
    """Knows the present instances of all score boards until one of them resets or others are configured."""

    def __init__(self, catalogue: Catalogue, queries: BoardQueries, clock: Clock) -> None:
        self._catalogue = catalogue
        self._queries = queries
        self._clock = clock
        self._configs: object = None
        self._from = self._until = _NEVER
        self._boards: Mapping[BoardKey, Board] = {}

    def score_boards(self) -> Mapping[BoardKey, Board]:
        """Return them by their keys. The same object as long as they are the same."""
        now = self._clock.now()
        if self._configs is not self._catalogue.boards or not self._from <= now < self._until:
            self._look(now)
        return self._boards

    def _look(self, now: datetime) -> None:
        self._configs = self._catalogue.boards
        boards = [
            self._queries.resolve(config.board_id, None, "")
            for config in self._catalogue.boards.values()
            if config.kind is BoardKind.SCORES
        ]
        self._from = now
        self._until = min((board.period.ends_at or _NEVER for board in boards), default=_NEVER)
        self._boards = {board.key: board for board in boards}
