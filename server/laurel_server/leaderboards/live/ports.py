"""What the live boards need from the layers below."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from laurel_server.domain.periods import PeriodType
from laurel_server.domain.views import Board, OwnRanks, Page


class BoardQuery(NamedTuple):
    """A board as a watcher asks for it: the scope, the period, and which one; "" follows the current one."""

    scope: str
    period_type: PeriodType | None
    period_id: str

    @property
    def follows(self) -> bool:
        """Whether the watch goes on with the next period when this one ends."""
        return not self.period_id


class BoardReader(Protocol):
    """Reads boards as they are now and as they rank now, past every cache.

    Raises LaurelError: BOARDS_REBUILDING or LEDGER_UNAVAILABLE where an engine is missing.
    """

    @property
    def configuration(self) -> object:
        """Another object once other boards are configured."""
        ...

    def resolve(self, scope: str, period_type: PeriodType | None, period_id: str) -> Board:
        """Return the board instance that is meant now. INVALID_FIELD, BOARD_NOT_FOUND, PERIOD_NOT_FOUND."""
        ...

    async def own_ranks(self, board: Board, user_ids: Sequence[str]) -> OwnRanks:
        """Return rank and score of users as they see themselves: of a shadow user those that he would have."""
        ...

    async def top(self, board: Board, n: int) -> Page:
        """Return the best `n` lines with their profiles."""
        ...

    async def is_known(self, user_id: str) -> bool:
        """Whether there is such a user."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the live boards go, in seconds."""

    tick: float = 0.1
    """Changes within this time reach a watcher as one."""

    heartbeat: float = 15
    """A silent stream gets a heartbeat after this time."""

    write_timeout: float = 30
    """A reader that accepts nothing for this long is ended with READER_TOO_SLOW."""
