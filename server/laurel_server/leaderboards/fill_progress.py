"""How far a fill of boards has come, in metrics and, every some seconds, in the log."""

import time
from typing import Final

import structlog

from laurel_server.metrics import BOARDS_FILL_MEMBERS, BOARDS_FILL_PROGRESS

log = structlog.get_logger()

TELL_SECONDS: Final = 5.0


class FillProgress:
    """Follows the scans of one fill: each goes by the users' numbers, from the lowest to the highest."""

    def __init__(self, scans: int, last_number: int) -> None:
        self._scans = max(1, scans)
        self._last_number = max(1, last_number)
        self._scan = 0
        self._number = 0
        self._members = 0
        self._told_at = time.monotonic()
        BOARDS_FILL_PROGRESS.set(0)

    def read(self, number: int, members: int) -> None:
        """Note that a scan has come to the user with that number, and how many members this gave."""
        self._scan += number < self._number
        self._number = number
        self._members += members
        BOARDS_FILL_MEMBERS.inc(members)
        BOARDS_FILL_PROGRESS.set(self.share)
        if time.monotonic() - self._told_at >= TELL_SECONDS:
            self._told_at = time.monotonic()
            log.info("boards.filling", percent=round(100 * self.share, 1), members=self._members)

    @property
    def share(self) -> float:
        """How much of the ledger was read, 0 to 1."""
        return min(1.0, (self._scan + self._number / self._last_number) / self._scans)

    def end(self) -> None:
        """Note that all was read."""
        BOARDS_FILL_PROGRESS.set(1)
