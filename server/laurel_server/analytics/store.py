"""The tables of ClickHouse: making them, and writing to them. Whatever is written twice is there once."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from laurel_server.analytics.engine import Engine
from laurel_server.analytics.statements import statement

_MOMENT: Final = "DateTime64(6, 'UTC')"
_NAME: Final = "LowCardinality(String)"

_ENTRY: Final[Mapping[str, str]] = {
    "transaction_id": "Int64",
    "user_no": "Int64",
    "action": _NAME,
    "points": "Int64",
    "is_award": "Bool",
    "tier": _NAME,
    "country": _NAME,
    "region": _NAME,
    "segments": f"Array({_NAME})",
    "occurred_at": _MOMENT,
    "recorded_at": _MOMENT,
    "activates_at": f"Nullable({_MOMENT})",
    "expires_at": f"Nullable({_MOMENT})",
}
_TIER_CHANGE: Final[Mapping[str, str]] = {
    "changed_at": _MOMENT,
    "user_no": "Int64",
    "from_tier": _NAME,
    "to_tier": _NAME,
}
_RANK: Final[Mapping[str, str]] = {
    "user_no": "Int64",
    "scope": _NAME,
    "period_id": _NAME,
    "time": _MOMENT,
    "rank": "Int64",
    "score": "Int64",
    "total": "Int64",
}
_RESULT: Final[Mapping[str, str]] = {
    "scope": _NAME,
    "period_id": _NAME,
    "user_no": "Int64",
    "rank": "Int64",
    "score": "Int64",
    "bonus_points": "Int64",
    "participants": "Int64",
    "closed_at": _MOMENT,
}
_FILL: Final[Mapping[str, str]] = {
    "what": _NAME,
    "done_at": _MOMENT,
    "until": _MOMENT,
    "entries": "Int64",
    "gaps": "Int64",
}
_LEDGER, _DAYS = "ledger", "days"
_LAST_FILL: Final = (
    "SELECT gaps FROM fills WHERE what = {what:String} ORDER BY done_at DESC, gaps DESC LIMIT 1"
)
_LAST_DAYS: Final = "SELECT until FROM fills WHERE what = {what:String} ORDER BY until DESC LIMIT 1"
_TABLES: Final = ("entries", "tier_changes", "rank_snapshots", "period_results", "fills")


class EntryFact(NamedTuple):
    """An entry of the ledger with what trends group by; `tier` is the one after it."""

    transaction_id: int
    user_no: int
    action: str
    points: int
    is_award: bool
    tier: str
    country: str
    region: str
    segments: Sequence[str]
    occurred_at: datetime
    recorded_at: datetime
    activates_at: datetime | None
    expires_at: datetime | None


class TierChangeFact(NamedTuple):
    """A promotion or demotion; an empty `from_tier` is a user's first entry."""

    changed_at: datetime
    user_no: int
    from_tier: str
    to_tier: str


class RankFact(NamedTuple):
    """Where a user stood on a board."""

    user_no: int
    scope: str
    period_id: str
    time: datetime
    rank: int
    score: int
    total: int


class ResultFact(NamedTuple):
    """One of the best of a board that was closed."""

    scope: str
    period_id: str
    user_no: int
    rank: int
    score: int
    bonus_points: int
    participants: int
    closed_at: datetime


class Store:
    """Writes to the tables. All methods raise one of `engine.AWAY`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def make_tables(self) -> None:
        """Make the tables that are missing."""
        for table in _TABLES:
            await self._engine.command(statement(f"create_{table}"))

    async def is_made(self) -> bool:
        """Return whether the tables are there."""
        rows = await self._engine.query(
            "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'fills'"
        )
        return bool(rows[0][0])

    async def is_filled(self) -> bool:
        """Return whether the whole ledger has been written once."""
        return await self.is_made() and await self.gaps_when_filled() is not None

    async def gaps_when_filled(self) -> int | None:
        """Return how often events had been dropped when the whole ledger was written last; None: it never was."""
        rows = await self._engine.query(_LAST_FILL, what=_LEDGER)
        return int(rows[0][0]) if rows else None

    async def note_filled(self, now: datetime, entries: int, gaps: int) -> None:
        """Keep that the whole ledger has been written."""
        await self._engine.insert("fills", _FILL, [(_LEDGER, now, now, entries, gaps)])

    async def days_until(self) -> datetime | None:
        """Return until when the ranks that the ledger noted at the ends of days have been written."""
        rows = await self._engine.query(_LAST_DAYS, what=_DAYS)
        return rows[0][0].replace(tzinfo=UTC) if rows else None

    async def note_days(self, until: datetime) -> None:
        """Keep that the ranks of days up to a moment have been written."""
        await self._engine.insert("fills", _FILL, [(_DAYS, until, until, 0, 0)])

    async def add_entries(self, entries: Sequence[EntryFact]) -> None:
        """Write entries."""
        await self._engine.insert("entries", _ENTRY, entries)

    async def add_tier_changes(self, changes: Sequence[TierChangeFact]) -> None:
        """Write changes of tiers."""
        await self._engine.insert("tier_changes", _TIER_CHANGE, changes)

    async def add_ranks(self, ranks: Sequence[RankFact]) -> None:
        """Write ranks."""
        await self._engine.insert("rank_snapshots", _RANK, ranks)

    async def add_results(self, results: Sequence[ResultFact]) -> None:
        """Write results of periods."""
        await self._engine.insert("period_results", _RESULT, results)
