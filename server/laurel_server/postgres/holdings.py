"""Lots, holds and reversals between rows and domain objects."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Final

import asyncpg

from laurel_server.domain.accounts import Account
from laurel_server.domain.holdings import Hold, HoldState, Needs, Reversed
from laurel_server.domain.lots import Debit, Lot
from laurel_server.postgres.columns import columns, numbers, times
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
    lots = [(account.user_no, key) for account, need in needs for key in need.lots]
    rows = await connection.fetch(
        load("holdings_read"),
        numbers(spend),
        numbers(spend.values()),
        now,
        numbers([user_no for user_no, _ in lots]),
        times([key.expires_at for _, key in lots]),
        numbers([key.lot_id for _, key in lots]),
        numbers([transaction_id for _, need in needs for transaction_id in need.reversals]),
        numbers([hold_id for _, need in needs for hold_id in need.holds]),
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
    """Return the holds that exist, as they were written last, by their ids; those of the erased are nobody's."""
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
    await connection.execute(
        load("holdings_write"),
        *_debit_columns(debits),
        *_lot_columns(accounts),
        *_reversal_columns(accounts),
        *_hold_columns(accounts),
        numbers([account.user_no for account in accounts]),
        numbers([account.redeemed_points for account in accounts]),
        numbers([account.expired_points for account in accounts]),
        numbers([account.held_points for account in accounts]),
        now,
    )


def _debit_columns(debits: Mapping[int, Sequence[Debit]]) -> tuple[object, ...]:
    taken = [debit for each in debits.values() for debit in each]
    return (
        numbers([transaction_id for transaction_id, each in debits.items() for _ in each]),
        numbers([debit.lot_id for debit in taken]),
        numbers([debit.points for debit in taken]),
        times([debit.activates_at for debit in taken]),
        times([debit.expires_at for debit in taken]),
    )


def _lot_columns(accounts: Sequence[Account]) -> tuple[object, ...]:
    changed = [
        (account.user_no, account.opened.lots[lot_id])
        for account in accounts
        for lot_id in account.opened.changed_lots
    ]
    return (
        numbers([user_no for user_no, _ in changed]),
        numbers([lot.lot_id for _, lot in changed]),
        numbers([lot.remaining for _, lot in changed]),
        times([lot.activates_at for _, lot in changed]),
        times([lot.expires_at for _, lot in changed]),
    )


def _reversal_columns(accounts: Sequence[Account]) -> tuple[object, ...]:
    changed = [
        (transaction_id, account.opened.reversals[transaction_id])
        for account in accounts
        for transaction_id in account.opened.changed_reversals
    ]
    return (
        numbers([transaction_id for transaction_id, _ in changed]),
        numbers([reversed_.points for _, reversed_ in changed]),
        [str(reversed_.part) for _, reversed_ in changed],
    )


def _hold_columns(accounts: Sequence[Account]) -> Iterable[Sequence[object]]:
    """Return the columns of the holds, which are few, as the driver takes them."""
    return columns(
        [
            (
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
            for account in accounts
            for hold_id in account.opened.changed_holds
            for hold in (account.opened.holds[hold_id],)
        ],
        9,
    )


async def read_debits_of(pool: Pool, transaction_ids: Sequence[int]) -> dict[int, list[Debit]]:
    """Return what entries took from lots, by their ids; those that took nothing are left out."""
    taken: dict[int, list[Debit]] = {}
    for transaction_id, *debit in await pool.fetch(load("debits_of"), transaction_ids):
        taken.setdefault(transaction_id, []).append(Debit(*debit))
    return taken
