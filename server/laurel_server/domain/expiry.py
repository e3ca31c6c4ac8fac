"""Expiry: the entry that takes what is left of a lot whose time is over."""

from dataclasses import dataclass

from laurel_server.domain.accounts import Account
from laurel_server.domain.commands import Change, Command, Turn, new_entry
from laurel_server.domain.holdings import Needs
from laurel_server.domain.lots import LotKey

EXPIRATION = "EXPIRATION"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireLotCommand(Command):
    """Take what is left of an expired lot; a lot that has nothing left, or not expired, is left alone."""

    lot: LotKey

    @property
    def needs(self) -> Needs:
        """The lot."""
        return Needs(lots=(self.lot,))

    def _post(self, account: Account, turn: Turn) -> Change:
        lot = account.opened.lots.get(self.lot.lot_id)
        if lot is None or not lot.remaining or not lot.expired_at(turn.now):
            return Change(account.rewards(), account.tier)
        account.change(turn.sequence)
        debit = account.take_from(lot, lot.remaining, turn.now)
        account.expired_points += debit.points
        entry = new_entry(self, account, EXPIRATION, -debit.points, turn, reference_id=str(lot.lot_id))
        return Change(account.rewards(), account.tier, entry=entry, debits=(debit,))
