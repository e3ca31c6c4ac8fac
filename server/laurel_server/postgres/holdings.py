"""Lots, holds and reversals between rows and domain objects."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Final

import asyncpg

from laurel_server.domain.accounts import Account
from laurel_server.domain.holdings import Hold, HoldState, Needs, Reversed
from laurel_server.domain.lots import Debit, Lot
from laurel_server.postgres.columns import columns
from laurel_server.postgres.pool import Connection, Pool
from laurel_server.postgres.sql import load

_LOT: Final = 1
_REVERSAL: Final = 2


async def read_holdings(
    connection: Connection, needs: Sequence[tuple[Account, Needs]], now: datetime
) -> None:
    """Fill in what commands need to know of accounts that are locked and have (empty) holdings."""
    spend: dict[int, int] = {}
    for account, need in needs:
        if need.spend:
            spend[account.user_no] = spend.get(account.user_no, 0) + need.spend
    rows = await connection.fetch(
        load("holdings_read"),
        list(spend),
        list(spend.values()),
        now,
        *columns(
            [(account.user_no, key.expires_at, key.lot_id) for account, need in needs for key in need.lots], 3
        ),
        [transaction_id for _, need in needs for transaction_id in need.reversals],
        [hold_id for _, need in needs for hold_id in need.holds],
    )
    _hand_out(rows, needs)


def _hand_out(rows: Iterable[asyncpg.Record], needs: Sequence[tuple[Account, Needs]]) -> None:
    by_number = {account.user_no: account for account, _ in needs}
    by_transaction = {transaction_id: account for account, need in needs for transaction_id in need.reversals}
    for row in rows:
        if row["kind"] == _LOT:
            by_number[row["user_no"]].opened.lots[row["id"]] = _lot(row)
        elif row["kind"] == _REVERSAL:
            reversed_ = Reversed(row["points"], Fraction(row["part"]))
            by_transaction[row["id"]].opened.reversals[row["id"]] = reversed_
        elif row["user_no"] in by_number:
            account = by_number[row["user_no"]]
            account.opened.holds[row["id"]] = hold_of(row, account.user_id)


async def read_holds(pool: Pool, hold_ids: Sequence[int]) -> dict[int, Hold]:
    """Return the holds of users who are known, as they were written last, by their ids."""
    rows = await pool.fetch(load("holds_read"), hold_ids)
    return {row["id"]: hold_of(row, row["user_id"]) for row in rows}


def _lot(row: asyncpg.Record) -> Lot:
    return Lot(row["id"], row["points"], row["starts_at"], row["expires_at"])


def hold_of(row: asyncpg.Record, user_id: str) -> Hold:
    """Return the hold in a row of `holds_read` or `holdings_read`."""
    return Hold(
        row["id"],
        user_id,
        row["points"],
        row["captured_points"],
        HoldState(row["state"]),
        row["starts_at"],
        row["expires_at"],
        row["reference_id"],
        row["reason"],
    )


async def write_holdings(
    connection: Connection,
    accounts: Sequence[Account],
    debits: Mapping[int, Sequence[Debit]],
    now: datetime,
) -> None:
    """Write what changed of the accounts' holdings, and the debits by transaction id."""
    debit_rows = [(transaction_id, *debit) for transaction_id, taken in debits.items() for debit in taken]
    await connection.execute(
        load("holdings_write"),
        *columns(debit_rows, 5),
        *columns([row for account in accounts for row in _lot_rows(account)], 5),
        *columns([row for account in accounts for row in _reversal_rows(account)], 3),
        *columns([row for account in accounts for row in _hold_rows(account)], 9),
        *columns(
            [
                (account.user_no, account.redeemed_points, account.expired_points, account.held_points)
                for account in accounts
            ],
            4,
        ),
        now,
    )


def _lot_rows(account: Account) -> Iterable[tuple[object, ...]]:
    for lot_id in account.opened.changed_lots:
        lot = account.opened.lots[lot_id]
        yield account.user_no, lot_id, lot.remaining, lot.activates_at, lot.expires_at


def _reversal_rows(account: Account) -> Iterable[tuple[object, ...]]:
    for transaction_id in account.opened.changed_reversals:
        points, part = account.opened.reversals[transaction_id]
        yield transaction_id, points, str(part)


def _hold_rows(account: Account) -> Iterable[tuple[object, ...]]:
    for hold_id in account.opened.changed_holds:
        hold = account.opened.holds[hold_id]
        yield (
            hold_id,
            account.user_no,
            hold.points,
            hold.captured_points,
            int(hold.state),
            hold.created_at,
            hold.expires_at,
            hold.reference_id,
            hold.reason,
        )


async def read_debits_of(pool: Pool, transaction_ids: Sequence[int]) -> dict[int, list[Debit]]:
    """Return what entries took from lots, by their ids; those that took nothing are left out."""
    taken: dict[int, list[Debit]] = {}
    for transaction_id, *debit in await pool.fetch(load("debits_of"), transaction_ids):
        taken.setdefault(transaction_id, []).append(Debit(*debit))
    return taken
