"""The statements of an award batch, between rows and domain objects. All run inside one transaction of a lane."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

import asyncpg
import msgspec
import orjson

from laurel_server.domain.accounts import Account, PastTotal, Total, Usage
from laurel_server.domain.boards import BoardKey, Visibility
from laurel_server.domain.chain import batch_digest, canonical_entry
from laurel_server.domain.ledger import LedgerEntry
from laurel_server.domain.lots import Lot
from laurel_server.domain.periods import Period
from laurel_server.domain.tiers import Tier
from laurel_server.postgres.columns import columns, ids, numbers, times
from laurel_server.postgres.pool import Connection
from laurel_server.postgres.sql import load

_encode_totals = msgspec.json.Encoder().encode
_decode_totals = msgspec.json.Decoder(dict[str, Total]).decode


class Answer(NamedTuple):
    """An answer to keep under its idempotency key."""

    key: bytes
    request_hash: bytes
    outcome: bytes


@dataclass(slots=True)
class OpenBatch:
    """A batch whose users are locked. `accounts` has the known users; `answers` what was answered before, by key."""

    batch_no: int
    rules_version: int
    accounts: dict[str, Account] = field(default_factory=dict)
    answers: dict[bytes, Answer] = field(default_factory=dict)


class PostedEntry(NamedTuple):
    """An entry, the lot it opens, the user it belongs to, and its inputs as JSON."""

    entry: LedgerEntry
    lot: Lot | None
    user_no: int
    inputs: str


async def open_batch(connection: Connection, user_ids: Collection[str], keys: Sequence[bytes]) -> OpenBatch:
    """Lock the users, draw the batch number, and read accounts and earlier answers in one round trip."""
    rows = await connection.fetch(load("ledger_open_batch"), list(user_ids), keys)
    batch = OpenBatch(rows[0]["batch_no"], rows[0]["rules"])
    for row in rows:
        if row["user_no"] is not None:
            batch.accounts[row["user_id"]] = _account(row)
        elif row["key"] is not None:
            batch.answers[row["key"]] = Answer(row["key"], row["request_hash"], row["outcome"])
    return batch


def _account(row: asyncpg.Record) -> Account:
    return Account(
        user_no=row["user_no"],
        user_id=row["user_id"],
        country=row["country"],
        region=row["region"],
        segments=tuple(row["segments"]),
        visibility=Visibility(row["visibility"]),
        balance=row["balance"],
        deficit=row["deficit"],
        lifetime_points=row["lifetime_points"],
        redeemed_points=row["redeemed_points"],
        expired_points=row["expired_points"],
        held_points=row["held_points"],
        tier=Tier(row["tier"]),
        tier_since=row["tier_since"],
        next_expiry=row["next_expiry"],
        pending_until=row["pending_until"],
        last_reward_at=row["last_reward_at"],
        version=row["version"],
        totals=_decode_totals(row["open_totals"]),
    )


async def take_user_numbers(connection: Connection, count: int) -> list[int]:
    """Take numbers for users who are not in the ledger yet."""
    return [row["user_no"] for row in await connection.fetch(load("users_take_numbers"), count)]


async def next_user_number(connection: Connection) -> int:
    """Return the number that the next user would get, without taking it."""
    number: int = await connection.fetchval(load("users_next_number"))
    return number


async def create_users(connection: Connection, accounts: Sequence[Account], now: datetime) -> None:
    """Create users known only by id. Raises UniqueViolationError when another server was faster."""
    user_nos = [account.user_no for account in accounts]
    await connection.execute(load("users_create"), user_nos, [account.user_id for account in accounts], now)


async def read_lot_times(connection: Connection, accounts: Iterable[Account], now: datetime) -> None:
    """Fill in how many points of the accounts are pending, expired, or held by timed-out holds at `now`."""
    by_number = {account.user_no: account for account in accounts}
    for row in await connection.fetch(load("ledger_lot_times"), list(by_number), now):
        account = by_number[row["user_no"]]
        account.pending_points = row["pending"]
        account.unavailable_points = row["pending"] + row["expired"]
        account.lapsed_points = row["lapsed"]
        account.following_expiry = row["following_expiry"]
        account.times_read = True
        if not row["expired"]:
            account.next_expiry = account.following_expiry


async def read_usage(connection: Connection, accounts: Iterable[Account], actions: Collection[str]) -> None:
    """Fill in what the accounts had of limited and counted actions."""
    by_number = {account.user_no: account for account in accounts}
    for row in await connection.fetch(load("usage_read"), list(by_number), list(actions)):
        usage = Usage(
            row["day"].isoformat(),
            row["points"],
            row["last_at"],
            row["awards"],
            row["streak_day"].isoformat() if row["streak_day"] else "",
            row["streak"],
        )
        by_number[row["user_no"]].usage[row["action"]] = usage


async def write_usage(connection: Connection, accounts: Iterable[Account]) -> None:
    """Keep what the accounts had of limited and counted actions."""
    rows = [
        (account.user_no, action, usage)
        for account in accounts
        for action, usage in account.usage.items()
        if usage.last_at is not None
    ]
    await connection.execute(
        load("usage_write"),
        [user_no for user_no, _, _ in rows],
        [action for _, action, _ in rows],
        [date.fromisoformat(usage.day) for _, _, usage in rows],
        [usage.points for _, _, usage in rows],
        [usage.last_at for _, _, usage in rows],
        [usage.awards for _, _, usage in rows],
        [date.fromisoformat(usage.streak_day) if usage.streak_day else None for _, _, usage in rows],
        [usage.streak for _, _, usage in rows],
    )


async def lock_spending(connection: Connection, campaign_ids: Collection[str]) -> dict[str, int]:
    """Lock the campaigns' budgets and return what each has spent."""
    rows = await connection.fetch(load("campaigns_lock_spending"), list(campaign_ids))
    return {row["campaign_id"]: row["spent_points"] for row in rows}


async def write_spending(connection: Connection, spent: Mapping[str, int]) -> None:
    """Keep what campaigns have spent."""
    await connection.execute(load("campaigns_write_spending"), list(spent), list(spent.values()))


async def make_partition(connection: Connection, month: int) -> None:
    """Make the partition for entries of that month (months since 1970-01) unless it is there."""
    await connection.execute("SELECT make_entry_partition($1)", month)


async def register_boards(connection: Connection, boards: Mapping[BoardKey, Period]) -> set[BoardKey]:
    """Register board instances before their first member and return those that were not there."""
    rows = await connection.fetch(
        load("ledger_register_boards"),
        [board.scope for board in boards],
        [board.period_id for board in boards],
        [int(period.type) for period in boards.values()],
        [period.starts_at for period in boards.values()],
        [period.ends_at for period in boards.values()],
    )
    return {BoardKey(row["scope"], row["period_id"]) for row in rows}


async def spill_totals(connection: Connection, spilled: Sequence[PastTotal]) -> None:
    """Keep totals of periods that are over; the hot rows must be written without them."""
    await connection.execute(
        load("ledger_spill_totals"),
        [total.period_id for total in spilled],
        [total.user_no for total in spilled],
        [total.score for total in spilled],
        [total.reached for total in spilled],
        [orjson.dumps(total.scopes).decode() for total in spilled],
        [orjson.dumps(total.shadow_scopes).decode() for total in spilled],
    )


async def keep_answers(connection: Connection, answers: Sequence[Answer]) -> None:
    """Keep the answers of a batch that writes nothing else."""
    await connection.execute(load("ledger_keep_answers"), *columns(answers, 3))


async def write_batch(
    connection: Connection,
    batch_no: int,
    posted: Sequence[PostedEntry],
    answers: Sequence[Answer],
    accounts: Sequence[Account],
    events: str,
    now: datetime,
) -> None:
    """Write entries and their digest, lots, answers, accounts and the outbox row in one statement."""
    await connection.execute(
        load("ledger_write_batch"),
        *_entry_columns(posted, now),
        *columns(answers, 3),
        *_account_columns(accounts, now),
        batch_no,
        now,
        events,
        batch_digest([canonical_entry(each.entry, each.user_no, each.inputs) for each in posted]),
    )


def _entry_columns(posted: Sequence[PostedEntry], now: datetime) -> tuple[object, ...]:
    entries = [each.entry for each in posted]
    return (
        numbers([entry.transaction_id for entry in entries]),
        numbers([each.user_no for each in posted]),
        [entry.action for entry in entries],
        numbers([entry.points for entry in entries]),
        numbers([entry.base_points for entry in entries]),
        numbers([entry.multiplier for entry in entries]),
        _texts([entry.order_id for entry in entries]),
        _texts([entry.referral_id for entry in entries]),
        _texts([entry.reference_id for entry in entries]),
        _texts([entry.reason for entry in entries]),
        [entry.created_by for entry in entries],
        [entry.request_id for entry in entries],
        times([None if entry.occurred_at is now else entry.occurred_at for entry in entries]),
        times([entry.activates_at for entry in entries]),
        times([entry.expires_at for entry in entries]),
        numbers([entry.balance_after for entry in entries]),
        [each.inputs for each in posted],
        numbers([each.lot.remaining if each.lot else 0 for each in posted]),
        ids([entry.reverses_transaction_id for entry in entries]),
    )


def _account_columns(accounts: Sequence[Account], now: datetime) -> tuple[object, ...]:
    return (
        numbers([account.user_no for account in accounts]),
        numbers([account.balance for account in accounts]),
        numbers([account.deficit for account in accounts]),
        numbers([account.lifetime_points for account in accounts]),
        numbers([int(account.tier) for account in accounts]),
        times([account.tier_since for account in accounts]),
        times([account.next_expiry for account in accounts]),
        times([account.pending_until for account in accounts]),
        _reward_times([account.last_reward_at for account in accounts], now),
        numbers([account.version for account in accounts]),
        [totals_json(account) for account in accounts],
    )


def _reward_times(column: Sequence[datetime | None], now: datetime) -> str | None:
    """Return the array literal of a column, None if all of it is `now`; who was never rewarded has -infinity."""
    if all(moment is now for moment in column):
        return None
    return f"{{{','.join([moment.isoformat() if moment else '-infinity' for moment in column])}}}"


def _texts(column: Sequence[str]) -> list[str | None] | None:
    """Return a column with None for what is not set, None if nothing is set in it."""
    return [text or None for text in column] if any(column) else None


def totals_json(account: Account) -> str:
    """Return the open totals as they are kept in the hot row."""
    return _encode_totals(account.totals).decode()
