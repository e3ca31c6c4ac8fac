"""Spending points, and giving them back to the lots they came from."""

from collections.abc import Sequence
from dataclasses import dataclass

from laurel_server.domain.accounts import Account, check_exact
from laurel_server.domain.commands import Change, Command, Turn, insufficient_points, new_entry
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.holdings import Hold, Needs, Reversed
from laurel_server.domain.ledger import LedgerEntry
from laurel_server.domain.lots import Debit
from laurel_server.domain.wording import counted

REDEMPTION = "REDEMPTION"
REVERSAL = "REVERSAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemCommand(Command):
    """Spend `points`, at least 1, soonest expiry first. INSUFFICIENT_POINTS."""

    points: int
    reference_id: str = ""
    reason: str = ""

    @property
    def needs(self) -> Needs:
        """Lots for the points."""
        return Needs(spend=self.points)

    def _post(self, account: Account, turn: Turn) -> Change:
        if account.available_points < self.points:
            raise insufficient_points(account.available_points, self.points)
        return spend(self, account, self.points, turn, reference_id=self.reference_id, reason=self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRedemptionCommand(Command):
    """Give the points of a redemption back to their own lots. NOT_REVERSIBLE, ALREADY_REVERSED, SCORE_OUT_OF_RANGE.

    `original` and its `debits` never change, and so were read before the user was locked.
    """

    original: LedgerEntry
    debits: Sequence[Debit]
    reason: str = ""

    @property
    def needs(self) -> Needs:
        """The lots that were spent from, and whether that was undone before."""
        return Needs(
            lots=tuple(debit.key for debit in self.debits), reversals=(self.original.transaction_id,)
        )

    def _post(self, account: Account, turn: Turn) -> Change:
        original, points = self.original, -self.original.points
        if original.action != REDEMPTION:
            raise not_reversible(original.transaction_id, "only a redemption can be cancelled")
        if original.transaction_id in account.opened.reversals:
            raise already_reversed(original.transaction_id)
        check_exact(account.balance + points)
        account.opened.put_reversal(original.transaction_id, Reversed(points))
        account.change(turn.sequence)
        account.redeemed_points -= points
        restored = tuple(account.give_back(debit, turn.now) for debit in self.debits)
        entry = new_entry(
            self,
            account,
            REVERSAL,
            points,
            turn,
            reference_id=original.reference_id,
            reason=self.reason,
            reverses=original.transaction_id,
        )
        return Change(account.rewards(), account.tier, entry=entry, debits=restored)


def spend(
    command: Command,
    account: Account,
    points: int,
    turn: Turn,
    *,
    reference_id: str,
    reason: str,
    hold: Hold | None = None,
) -> Change:
    """Take points that are there from the account's lots and return the redemption."""
    account.change(turn.sequence)
    account.redeemed_points += points
    debits = account.take_all(points, turn.now)
    entry = new_entry(command, account, REDEMPTION, -points, turn, reference_id=reference_id, reason=reason)
    return Change(account.rewards(), account.tier, entry=entry, debits=debits, hold=hold)


def not_reversible(transaction_id: int, message: str) -> LaurelError:
    """Return the refusal to reverse an entry of that kind."""
    return LaurelError(Reason.NOT_REVERSIBLE, message, metadata={"transaction_id": str(transaction_id)})


def already_reversed(transaction_id: int, left: int = 0) -> LaurelError:
    """Return the refusal to reverse more of an entry than the points that are `left` of it."""
    return LaurelError(
        Reason.ALREADY_REVERSED,
        f"left of this transaction to reverse: {counted(left, 'point')}",
        metadata={"transaction_id": str(transaction_id)},
    )
