"""Where the time comes from: the system, or a clock that tests set."""

from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from laurel_server.domain.errors import LaurelError, invalid_field

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
END_OF_TIME = datetime(4700, 1, 1, tzinfo=UTC)
"""Transaction ids count months in 15 bits (see `identifiers`), which ends in the year 4700."""

MAX_WAIT: Final = timedelta(days=36_525)
"""How long a cooldown, a return window or a badge may last: a hundred years, which no calendar runs out of."""


class Clock(Protocol):
    """Tells the business time, which governs periods, expiry, caps, cooldowns, holds and jobs."""

    def now(self) -> datetime:
        """Return the present moment, aware and in UTC."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the present moment, aware and in UTC."""
        return datetime.now(UTC)


class SandboxClock:
    """A clock for tests: follows the system until it is set, then stands still until it is moved."""

    def __init__(self, now: datetime | None = None) -> None:
        self._set_to: datetime | None = None
        if now is not None:
            self.set(now)

    @property
    def frozen(self) -> bool:
        """Whether the clock was set and stands still."""
        return self._set_to is not None

    def now(self) -> datetime:
        """Return the present moment, aware and in UTC."""
        return self._set_to or datetime.now(UTC)

    def set(self, now: datetime) -> None:
        """Stop at `now`, which may lie in the past. INVALID_FIELD `now` before 1970 or from 4700 on."""
        self._set_to = checked_moment(now, field="now")

    def advance(self, by: timedelta) -> None:
        """Stop at the present moment plus `by`. INVALID_FIELD `by` if that leads out of 1970 to 4700."""
        try:
            self.set(self.now() + by)
        except (OverflowError, LaurelError):
            message = f"leads out of the years from {EPOCH.year} to {END_OF_TIME.year}"
            raise invalid_field("by", message) from None


def checked_moment(moment: datetime, *, field: str) -> datetime:
    """Return the aware `moment` in UTC. INVALID_FIELD before 1970 or from 4700 on."""
    if not EPOCH <= moment < END_OF_TIME:
        raise invalid_field(field, f"must lie between {EPOCH.year} and {END_OF_TIME.year}")
    return moment.astimezone(UTC)


def moment_after(moment: datetime, span: timedelta) -> datetime:
    """Return the moment that much later, at most the end of time."""
    return moment + min(span, END_OF_TIME - moment)
