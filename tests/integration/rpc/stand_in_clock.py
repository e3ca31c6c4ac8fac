"""The clock of SandboxService."""

from datetime import UTC, datetime, timedelta


class StandInClock:
    """A sandbox clock in memory."""

    def __init__(self) -> None:
        self.at: datetime | None = None

    @property
    def frozen(self) -> bool:
        return self.at is not None

    def now(self) -> datetime:
        return self.at or datetime.now(UTC)

    async def set(self, now: datetime) -> None:
        self.at = now

    async def advance(self, by: timedelta) -> None:
        self.at = self.now() + by
