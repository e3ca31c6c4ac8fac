"""Adjustments: points that an operator gives or takes, with his name and a reason."""

from dataclasses import dataclass
from datetime import datetime

from laurel_server.domain.accounts import Account, check_exact
from laurel_server.domain.awards import moved_boards, periods_counted
from laurel_server.domain.commands import Change, Command, Turn, insufficient_points, new_entry
from laurel_server.domain.errors import invalid_field
from laurel_server.domain.holdings import Needs
from laurel_server.domain.ledger import LedgerEntry
from laurel_server.domain.reversals import ADJUSTMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustCommand(Command):
    """Give (positive) or take (negative) `points`. INSUFFICIENT_POINTS, INVALID_FIELD, SCORE_OUT_OF_RANGE.

    An adjustment is not earned: lifetime points and the tier stay. It moves the boards that the config of
    MANUAL_ADJUSTMENT says, by default none.
    """

    points: int
    actor: str
    reason: str
    expires_at: datetime | None = None

    @property
    def needs(self) -> Needs:
        """Lots for what is taken."""
        return Needs(spend=max(0, -self.points))

    @property
    def creates_user(self) -> bool:
        """Points may be the first that is heard of a user."""
        return self.points > 0

    def _post(self, account: Account, turn: Turn) -> Change:
        self._check(account, turn)
        counted = periods_counted(turn.rules.actions[ADJUSTMENT], turn.rules, turn.now, turn.now)[0]
        account.count_in(counted, self.points, turn.sequence, "points")
        account.change(turn.sequence)
        debits = account.take_all(max(0, -self.points), turn.now)
        entry = self._entry(account, turn)
        lot = account.open_lot(entry, turn.now) if self.points > 0 else None
        return Change(
            account.rewards(),
            account.tier,
            entry=entry,
            lot=lot,
            debits=debits,
            period_ids=tuple(period.id for period in counted),
            boards=moved_boards(account, counted, None, turn.rules),
        )

    def _check(self, account: Account, turn: Turn) -> None:
        if self.points < 0 and -self.points > account.available_points:
            raise insufficient_points(account.available_points, -self.points)
        if self.expires_at is not None and (self.points < 0 or self.expires_at <= turn.now):
            raise invalid_field("expires_at", "must lie in the future, and only points that are given expire")
        check_exact(account.balance + self.points, "points")

    def _entry(self, account: Account, turn: Turn) -> LedgerEntry:
        default = turn.rules.actions[ADJUSTMENT].expires_at(turn.now, turn.rules.zone)
        return new_entry(
            self,
            account,
            ADJUSTMENT,
            self.points,
            turn,
            balance_after=account.balance + max(0, self.points),
            reason=self.reason,
            created_by=self.actor,
            expires_at=(self.expires_at or default) if self.points > 0 else None,
        )
