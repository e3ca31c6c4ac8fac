"""Reversal: taking back what an earning gave, once per amount, from its own lot first."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import IntEnum
from fractions import Fraction
from functools import lru_cache
from typing import Final, NamedTuple

from laurel_server.domain.accounts import Account
from laurel_server.domain.actions import SYSTEM_ACTIONS
from laurel_server.domain.awards import moved_boards, takes
from laurel_server.domain.commands import Change, Command, Turn, new_entry
from laurel_server.domain.errors import invalid_field
from laurel_server.domain.holdings import Needs, Reversed
from laurel_server.domain.ledger import LedgerEntry
from laurel_server.domain.lots import Debit, LotKey
from laurel_server.domain.periods import Period, parse_period_id
from laurel_server.domain.spending import REVERSAL, already_reversed, not_reversible

ADJUSTMENT = "MANUAL_ADJUSTMENT"

MAX_PART_BITS: Final = 8192
"""Of the denominator of all parts of an entry together: some 60 amounts that have nothing in common."""


class ReversalPolicy(IntEnum):
    """What to take when the entry's own points are spent; the numbers are those of the contract."""

    CLAMP = 1  # other points, down to 0
    ALLOW_NEGATIVE = 2  # other points, then a deficit that later earnings fill first
    ONLY_UNSPENT = 3  # nothing


class ReversalRequest(NamedTuple):
    """What to take back of an entry: `points`, or a `part` of it up to 1; neither: all that is left.

    `transaction_id` is what the caller wrote, and perhaps none.
    """

    transaction_id: str
    points: int = 0
    part: Fraction = Fraction()
    policy: ReversalPolicy = ReversalPolicy.CLAMP
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseCommand(Command):
    """Take back `points` of `original`, or `part` of it; neither: all that is left. NOT_REVERSIBLE, ALREADY_REVERSED.

    Parts add up: each takes the whole points below the sum of the parts so far, less those below the sum before.
    `original` and the periods in which it `counted` never change, and so were read before the user was locked.
    """

    original: LedgerEntry
    counted: tuple[str, ...] = ()
    points: int = 0
    part: Fraction = Fraction()
    policy: ReversalPolicy = ReversalPolicy.CLAMP
    reason: str = ""

    @property
    def needs(self) -> Needs:
        """The entry's own lot, others for as many points, and how far it was reversed before.

        The others also where only the own lot is taken from: it may be one that another command of the batch counts on.
        """
        own = LotKey(self.original.transaction_id, self.original.expires_at)
        return Needs(
            spend=max(0, self.original.points), lots=(own,), reversals=(self.original.transaction_id,)
        )

    def _post(self, account: Account, turn: Turn) -> Change:
        original = self.original
        if original.points < 0 or original.action in SYSTEM_ACTIONS - {ADJUSTMENT}:
            raise not_reversible(original.transaction_id, f"an entry of {original.action} cannot be reversed")
        before = account.opened.reversals.get(original.transaction_id, Reversed())
        wanted, part = self._wanted(before)
        tier_before, points_before = account.tier, account.qualifying_points
        account.change(turn.sequence)
        debits, taken = self._take(account, wanted, turn.now)
        account.opened.put_reversal(original.transaction_id, Reversed(before.points + taken, part))
        periods = self._open_periods(account, turn) if taken else ()
        account.count_in(periods, -taken, turn.sequence)
        if original.action not in SYSTEM_ACTIONS:
            account.take_back_earned(taken, original.transaction_id)
        tier_change = account.demote(points_before, turn.now)
        entry = new_entry(
            self,
            account,
            REVERSAL,
            -taken,
            turn,
            order_id=original.order_id,
            reference_id=original.reference_id,
            reason=self.reason,
            reverses=original.transaction_id,
        )
        return Change(
            account.rewards(),
            tier_before,
            entry=entry,
            debits=debits,
            tier_change=tier_change,
            period_ids=tuple(period.id for period in periods),
            boards=moved_boards(account, periods, tier_change, turn.rules),
            part=part,
        )

    def _wanted(self, before: Reversed) -> tuple[int, Fraction]:
        """Return how many points to take back, and the parts that will have been asked back."""
        total = self.original.points
        left = total - before.points
        if self.part:
            part = before.part + self.part
            if part.denominator.bit_length() > MAX_PART_BITS:
                raise invalid_field("denominator", "has too little in common with those of the parts before")
            wanted = int(total * part) - int(total * before.part)
            gone = part > 1
        else:
            part = before.part if self.points else Fraction(1)
            wanted = self.points or left
            gone = not left and before != Reversed()
        if gone or wanted > left:
            raise already_reversed(self.original.transaction_id, left)
        return wanted, part

    def _take(self, account: Account, wanted: int, now: datetime) -> tuple[tuple[Debit, ...], int]:
        """Take as much of `wanted` as the policy allows; return the debits and the points."""
        debits = self._take_own(account, wanted, now)
        missing = wanted - sum(debit.points for debit in debits)
        if self.policy is ReversalPolicy.CLAMP:
            missing = min(missing, max(0, account.available_points))
        if self.policy is not ReversalPolicy.ONLY_UNSPENT:
            others = account.take(missing, now)
            debits += others
            missing -= sum(debit.points for debit in others)
        taken = sum(debit.points for debit in debits)
        if self.policy is ReversalPolicy.ALLOW_NEGATIVE:
            account.deficit += missing
            account.balance -= missing
            taken += missing
        return debits, taken

    def _take_own(self, account: Account, wanted: int, now: datetime) -> tuple[Debit, ...]:
        """Take from the entry's own lot, also while it is pending; held points stay unless the policy overdraws."""
        own = account.opened.lots.get(self.original.transaction_id)
        if own is None or own.expired_at(now):
            return ()
        points = min(wanted, own.remaining)
        if self.policy is not ReversalPolicy.ALLOW_NEGATIVE and own.counts_at(now):
            points = min(points, max(0, account.available_points))
        return (account.take_from(own, points, now),) if points else ()

    def _open_periods(self, account: Account, turn: Turn) -> tuple[Period, ...]:
        """Return the periods that counted the entry and still may change."""
        rules = turn.rules
        still_open = _still_open(self.counted, turn.now, rules.zone, rules.grace, rules.closed_through)
        return tuple(period for period in still_open if period.id in account.totals)


@lru_cache(maxsize=1024)
def _still_open(
    counted: tuple[str, ...], now: datetime, zone: tzinfo, grace: timedelta, closed_through: datetime
) -> tuple[Period, ...]:
    """Return the periods that still may change; the reversals of a batch share the moment, and often the periods."""
    periods = (parse_period_id(each, zone) for each in counted)
    return tuple(period for period in periods if takes(period, now, grace, closed_through))
