"""Ledger entries and balances as they are read, outside of any award."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import asyncpg
import orjson

from laurel_server.domain.badges import Badge
from laurel_server.domain.campaigns import AppliedCampaign
from laurel_server.domain.identifiers import ids_of_months
from laurel_server.domain.ledger import ExpiringLot, ExpiringPoints, LedgerEntry, Rewards, shown_balances
from laurel_server.domain.points import Breakdown
from laurel_server.domain.tiers import Tier
from laurel_server.postgres.pool import Pool
from laurel_server.postgres.sql import load


class StoredEntry(NamedTuple):
    """An entry, what it was made from, as JSON, and the badges that it unlocked, where those were read.

    `user_no` is whose it is, also when he was erased and somebody else has his id.
    """

    entry: LedgerEntry
    inputs: str
    badges: tuple[Badge, ...] = ()
    user_no: int = 0

    @property
    def breakdown(self) -> Breakdown:
        """How the points of an award came about."""
        return _breakdown(self.entry, orjson.loads(self.inputs))

    @property
    def period_ids(self) -> tuple[str, ...]:
        """The periods in which the entry counts."""
        return tuple(orjson.loads(self.inputs)["periods"])


async def read_entries(pool: Pool, transaction_ids: Collection[int]) -> dict[int, StoredEntry]:
    """Return the entries that exist, by id."""
    rows = await pool.fetch(load("entries_read"), list(transaction_ids))
    return {
        row["transaction_id"]: StoredEntry(_entry(row), row["inputs"], user_no=row["user_no"]) for row in rows
    }


async def list_entries(
    pool: Pool,
    user_id: str,
    actions: Sequence[str],
    from_time: datetime | None,
    to_time: datetime | None,
    before: int | None,
    limit: int,
) -> list[LedgerEntry]:
    """Return up to `limit` entries with ids below `before`, newest first."""
    first, end = ids_of_months(from_time, to_time)
    if from_time is not None or to_time is not None:
        bounds = await pool.fetchrow(load("entries_bounds"), user_id, from_time, to_time, first, end)
        if bounds is None:
            return []
        first, end = bounds
    if before is not None:
        end = min(end, before)
    rows = await pool.fetch(
        load("entries_list"), user_id, list(actions), from_time, to_time, first, end, limit
    )
    return [_entry(row) for row in rows]


async def scan_entries(pool: Pool, after: int, below: int, limit: int) -> list[tuple[int, StoredEntry]]:
    """Return the next entries by id, each with the number of its user in place of his name."""
    rows = await pool.fetch(load("entries_scan"), after, below, limit)
    return [(row["user_no"], StoredEntry(_entry(row), row["inputs"])) for row in rows]


async def count_entries(pool: Pool) -> int:
    """Return about how many entries there are."""
    count: int = await pool.fetchval(load("entries_count"))
    return count


async def last_entry(pool: Pool) -> int:
    """Return the greatest id of an entry; 0: there is none."""
    last: int = await pool.fetchval(load("entries_last"))
    return last


async def read_rewards(pool: Pool, user_ids: Collection[str], now: datetime) -> dict[str, Rewards]:
    """Return the balances of known users, by user id, as they are at `now`."""
    rows = await pool.fetch(load("rewards_read"), list(user_ids), now)
    return {row["user_id"]: _rewards(row) for row in rows}


async def read_rewards_as_of(pool: Pool, user_id: str, moment: datetime) -> Rewards | None:
    """Return a known user's balances as they were after all that was recorded up to `moment`."""
    row = await pool.fetchrow(load("rewards_as_of"), user_id, moment, ids_of_months(moment, None)[0])
    return None if row is None else _rewards(row)


async def list_expiring(
    pool: Pool, user_id: str, now: datetime, until: datetime | None, limit: int
) -> ExpiringPoints:
    """Return what expires after `now` up to and including `until` (None: at all), at most `limit` lots."""
    rows = await pool.fetch(load("lots_expiring"), user_id, now, until, limit)
    lots = [ExpiringLot(row["lot_id"], row["remaining"], row["expires_at"]) for row in rows]
    return ExpiringPoints(lots, int(rows[0]["total"]) if rows else 0)


async def user_exists(pool: Pool, user_id: str) -> bool:
    """Return whether the user is known."""
    known: bool = await pool.fetchval(load("users_exist"), user_id)
    return known


def _entry(row: asyncpg.Record) -> LedgerEntry:
    return LedgerEntry(
        transaction_id=row["transaction_id"],
        request_id=row["request_id"],
        user_id=row["user_id"],
        action=row["action"],
        points=row["points"],
        base_points=row["base_points"],
        multiplier=row["multiplier"],
        order_id=row["order_id"] or "",
        referral_id=row["referral_id"] or "",
        reference_id=row["reference_id"] or "",
        reason=row["reason"] or "",
        created_by=row["created_by"],
        transaction_time=row["transaction_time"],
        occurred_at=row["occurred_at"],
        balance_after=row["balance_after"],
        expires_at=row["expires_at"],
        activates_at=row["activates_at"],
        reversed_points=row["reversed_points"] or 0,
        reverses_transaction_id=row["reverses_transaction_id"] or 0,
    )


def _breakdown(entry: LedgerEntry, inputs: Mapping[str, Any]) -> Breakdown:
    return Breakdown(
        points=entry.points,
        base_points=entry.base_points,
        tier_multiplier=Decimal(inputs["tier_multiplier"]),
        campaigns=tuple(AppliedCampaign(name, Decimal(value)) for name, value in inputs["campaigns"]),
        multiplier=entry.multiplier,
        uncapped_points=inputs["uncapped"],
        capped=bool(inputs["cap"]),
        cap=inputs["cap"],
        streak=inputs.get("streak", 0),
    )


def _rewards(row: asyncpg.Record) -> Rewards:
    active = row["balance"] - row["pending"] - row["expired"]
    available, held = shown_balances(active, row["held_points"])
    return Rewards(
        user_id=row["user_id"],
        total_points=available,
        lifetime_points=row["lifetime_points"],
        redeemed_points=row["redeemed_points"],
        expired_points=row["expired_points"] + row["expired"],
        held_points=held,
        pending_points=row["pending"],
        tier=Tier(row["tier"]),
        last_reward_at=row["last_reward_at"],
        version=row["version"],
    )
