"""What commands say they need is enough: with those lots alone a batch does what it would do with all of them."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from laurel_server.domain.accounts import Account
from laurel_server.domain.actions import SEEDED_ACTIONS
from laurel_server.domain.adjustments import AdjustCommand
from laurel_server.domain.awards import Rules
from laurel_server.domain.boards import BoardMatrix
from laurel_server.domain.commands import Command, Turn
from laurel_server.domain.errors import LaurelError
from laurel_server.domain.holdings import Holdings
from laurel_server.domain.ledger import LedgerEntry
from laurel_server.domain.lots import Lot
from laurel_server.domain.reversals import ReversalPolicy, ReverseCommand
from laurel_server.domain.spending import RedeemCommand

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
RULES = Rules(1, {config.action: config for config in SEEDED_ACTIONS}, (), BoardMatrix(()), UTC, timedelta())
AWARDED = 10
"""What each lot had at first."""

REQUEST: dict[str, Any] = {"caller": "shop", "request_id": "r-1", "user_id": "ann", "request_hash": b""}

lots = st.builds(
    Lot,
    st.just(0),
    st.integers(1, AWARDED),
    st.sampled_from([None, None, NOW - timedelta(days=1), NOW + timedelta(days=1)]),
    st.sampled_from([None, NOW + timedelta(days=2), NOW + timedelta(days=3), NOW + timedelta(days=4)]),
)
points = st.integers(1, 2 * AWARDED)
steps = st.tuples(st.sampled_from(["redeem", "adjust", *ReversalPolicy]), points, st.integers(0, 20))


def entry_of(lot: Lot) -> LedgerEntry:
    """Return the award that opened the lot."""
    return LedgerEntry(
        transaction_id=lot.lot_id,
        request_id="r-0",
        user_id="ann",
        action="REVIEW",
        points=AWARDED,
        base_points=Decimal(AWARDED),
        multiplier=Decimal(1),
        order_id="",
        referral_id="",
        reference_id="",
        reason="",
        created_by="shop",
        transaction_time=NOW,
        occurred_at=NOW,
        balance_after=0,
        expires_at=lot.expires_at,
        activates_at=lot.activates_at,
    )


def command_of(step: tuple[str | ReversalPolicy, int, int], held: list[Lot]) -> Command:
    kind, amount, place = step
    if isinstance(kind, ReversalPolicy):
        original = entry_of(held[place % len(held)])
        return ReverseCommand(**REQUEST, original=original, points=min(amount, AWARDED), policy=kind)
    if kind == "redeem":
        return RedeemCommand(**REQUEST, points=amount)
    return AdjustCommand(**REQUEST, points=-amount, actor="olga", reason="test")


def account_with(held: list[Lot], read: list[Lot]) -> Account:
    """Return an account of which the batch has read those lots."""
    pending = sum(lot.remaining for lot in held if lot.pending_at(NOW))
    return Account(
        1,
        "ann",
        balance=sum(lot.remaining for lot in held),
        lifetime_points=AWARDED * len(held),
        unavailable_points=pending,
        pending_points=pending,
        holdings=Holdings(lots={lot.lot_id: lot for lot in read}),
    )


def read_for(commands: list[Command], held: list[Lot]) -> list[Lot]:
    """Return the lots that the ledger reads for the commands: those named, and the first ones for what is spent."""
    wanted = sum(command.needs.spend for command in commands)
    named = {key.lot_id for command in commands for key in command.needs.lots}
    read = []
    for lot in sorted(held, key=lambda lot: lot.spending_order):
        if lot.lot_id in named or (wanted > 0 and lot.counts_at(NOW)):
            read.append(lot)
        if lot.counts_at(NOW):
            wanted -= lot.remaining
    return read


def done(commands: list[Command], account: Account) -> list[object]:
    """Return what comes of the commands, one after the other."""
    results: list[object] = []
    for number, command in enumerate(commands):
        try:
            change = command.post(account, Turn(RULES, 100 + number, NOW))
        except LaurelError as refusal:
            results.append(refusal.reason)
        else:
            results.append((change.entry, change.debits, change.rewards))
    return results


@settings(max_examples=150)
@given(st.lists(lots, min_size=1, max_size=8), st.lists(steps, min_size=1, max_size=6))
def test_the_lots_that_are_read_are_enough_for_the_batch(
    drawn: list[Lot], asked: list[tuple[str | ReversalPolicy, int, int]]
) -> None:
    held = [replace(lot, lot_id=number) for number, lot in enumerate(drawn, 1)]
    commands = [command_of(step, held) for step in asked]

    with_all = done(commands, account_with(held, deepcopy(held)))

    assert done(commands, account_with(held, read_for(commands, held))) == with_all
