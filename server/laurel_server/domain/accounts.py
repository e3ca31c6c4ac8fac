"""A user's account while a batch has its row locked: balances, tier and the totals of open periods."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple, Self

from msgspec import Struct, field
from msgspec.structs import replace

from laurel_server.domain.boards import BoardMatrix, Membership, Visibility
from laurel_server.domain.decimals import MAX_EXACT
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.holdings import Holdings
from laurel_server.domain.identifiers import sequence_of
from laurel_server.domain.ledger import LedgerEntry, Rewards, shown_balances
from laurel_server.domain.lots import Debit, Lot
from laurel_server.domain.periods import ALL_TIME, Period, parse_period_id, period_type_of
from laurel_server.domain.tiers import Tier, TierChange, tier_change, tier_for

SPILL_MARGIN = timedelta(minutes=10)
"""A total leaves the hot row this long after grace has ended: longer than the clocks of two servers differ."""


class PastTotal(NamedTuple):
    """What a user had in a period that is over, and the scopes of the boards that count it.

    `shadow_scopes` are those of a shadow user, whom these boards show to himself alone.
    """

    period_id: str
    user_no: int
    score: int
    reached: int
    scopes: tuple[str, ...]
    shadow_scopes: tuple[str, ...]


class Total(NamedTuple):
    """What a user has in one period, and the ledger sequence at which the score last changed (ties: smaller first)."""

    score: int
    reached: int


NOTHING = Total(0, 0)


def past_total(
    period_id: str, user_no: int, total: tuple[int, int], membership: Membership, matrix: BoardMatrix
) -> PastTotal:
    """Return what a user had in a period that is over, with the scopes in which he has it for ever."""
    period_type = period_type_of(period_id)
    seen_by_all = matrix.boards_of(membership, period_type)
    seen_by_himself = matrix.boards_of(membership.as_seen_by_himself, period_type)
    return PastTotal(period_id, user_no, *total, seen_by_all, () if seen_by_all else seen_by_himself)


@dataclass(slots=True)
class Usage:
    """What a user had of one limited or counted action: points on `day` and when it was last rewarded.

    `awards` counts all his awards of it; None: nobody has counted them.
    """

    day: str
    points: int
    last_at: datetime | None
    awards: int | None = None
    streak_day: str = ""
    """The last day of a streak; "" without one."""
    streak: int = 0
    """Days in a row up to that day."""


class Account(Struct):
    """The mutable state of one user inside one batch; everything that an award may read or change."""

    user_no: int
    user_id: str
    is_new: bool = False
    country: str = ""
    region: str = ""
    segments: tuple[str, ...] = ()
    visibility: Visibility = Visibility.PUBLIC
    balance: int = 0
    deficit: int = 0
    lifetime_points: int = 0
    redeemed_points: int = 0
    expired_points: int = 0
    """Points whose expiry is posted; what has expired and is not swept yet is in `unavailable_points`."""
    held_points: int = 0
    unavailable_points: int = 0
    """Points of open lots outside their time now: not active yet, or expired and not swept yet."""
    pending_points: int = 0
    """The part of `unavailable_points` that becomes available later."""
    lapsed_points: int = 0
    """The part of `held_points` whose holds have timed out and are not swept yet."""
    tier: Tier = Tier.BRONZE
    tier_since: datetime | None = None
    earned_before: int = 0
    """Lifetime points from before the window of the tier policy; 0 without a window."""
    window_from: int = 0
    """The first transaction id of the window that decides the tier; 0 without a window."""
    window_changed: bool = False
    """Whether `earned_before` is another than the ledger has kept."""
    next_expiry: datetime | None = None
    following_expiry: datetime | None = None
    """The soonest expiry after now, None for none; known where `times_read`."""
    times_read: bool = False
    """Whether this batch has looked at the times of the user's lots."""
    pending_until: datetime | None = None
    last_reward_at: datetime | None = None
    version: int = 0
    totals: dict[str, Total] = field(default_factory=dict)
    usage: dict[str, Usage] = field(default_factory=dict)
    holdings: Holdings | None = None
    """None in a batch that neither spends nor reverses anything of this user."""
    changed: bool = False

    def copy(self) -> Self:
        """Return an account that can be changed without changing this one."""
        return replace(self, totals=dict(self.totals), usage=dict(self.usage), holdings=None)

    @property
    def membership(self) -> Membership:
        """Where the user belongs; decides his boards."""
        return Membership(self.country, self.region, self.tier, self.segments, self.visibility)

    @property
    def active_points(self) -> int:
        """Points whose time it is, held ones included; negative after a reversal into a deficit."""
        return self.balance - self.unavailable_points

    @property
    def available_points(self) -> int:
        """Points that can be spent or held now."""
        return shown_balances(self.active_points, self.held_points - self.lapsed_points)[0]

    @property
    def opened(self) -> Holdings:
        """The lots, holds and reversals that the batch has read for this user."""
        if self.holdings is None:
            raise LookupError(f"nothing was read of the lots of {self.user_id}")
        return self.holdings

    def rewards(self) -> Rewards:
        """Return the balances as callers see them."""
        available, held = shown_balances(self.active_points, self.held_points - self.lapsed_points)
        return Rewards(
            user_id=self.user_id,
            total_points=available,
            lifetime_points=self.lifetime_points,
            redeemed_points=self.redeemed_points,
            expired_points=self.expired_points + self.unavailable_points - self.pending_points,
            held_points=held,
            pending_points=self.pending_points,
            tier=self.tier,
            last_reward_at=self.last_reward_at,
            version=self.version,
        )

    def post_award(self, entry: LedgerEntry, now: datetime) -> Lot | None:
        """Add an award's points and return the lot they open; None if a deficit leaves nothing to spend."""
        self.changed = True
        self.version = sequence_of(entry.transaction_id)
        self.last_reward_at = now
        self.lifetime_points += entry.points
        return self.open_lot(entry, now)

    def open_lot(self, entry: LedgerEntry, now: datetime) -> Lot | None:
        """Add the entry's points to the balance and return their lot; None if a deficit leaves nothing to spend."""
        self.balance += entry.points
        filled = min(self.deficit, entry.points)
        self.deficit -= filled
        if entry.points == filled:
            return None
        lot = Lot(entry.transaction_id, entry.points - filled, entry.activates_at, entry.expires_at)
        self._note_times(lot, now)
        if self.holdings is not None:
            self.holdings.lots[lot.lot_id] = lot
        return lot

    def change(self, sequence: int) -> None:
        """Note a change that is no award: the version grows."""
        self.changed = True
        self.version = sequence

    def take(self, points: int, now: datetime) -> tuple[Debit, ...]:
        """Take up to `points` from lots that count now, in the order of spending; the balance falls by them."""
        usable = [lot for lot in self.opened.lots.values() if lot.remaining and lot.counts_at(now)]
        debits: list[Debit] = []
        for lot in sorted(usable, key=lambda lot: lot.spending_order):
            if points <= 0:
                break
            debits.append(self.take_from(lot, min(points, lot.remaining), now))
            points -= debits[-1].points
        return tuple(debits)

    def take_all(self, points: int, now: datetime) -> tuple[Debit, ...]:
        """Take exactly `points`, which the balance has. LookupError where too few lots were read to find them in."""
        debits = self.take(points, now)
        if sum(debit.points for debit in debits) < points:
            raise LookupError(f"the lots that were read of {self.user_id} have too few points")
        return debits

    def take_from(self, lot: Lot, points: int, now: datetime) -> Debit:
        """Take `points`, at most what remains, from one lot, whatever its time is."""
        self.opened.put_lot(replace(lot, remaining=lot.remaining - points))
        self.balance -= points
        self._note_unavailable(lot, -points, now)
        if self.times_read and self.unavailable_points == self.pending_points:
            self.next_expiry = self.following_expiry  # no lot is left that has expired
        return Debit(lot.lot_id, points, lot.activates_at, lot.expires_at)

    def give_back(self, debit: Debit, now: datetime) -> Debit:
        """Return what was taken to its own lot, which keeps its bounds, and the debit that says so."""
        kept = self.opened.lots.get(debit.lot_id)
        lot = kept or Lot(debit.lot_id, 0, debit.activates_at, debit.expires_at)
        self.opened.put_lot(replace(lot, remaining=lot.remaining + debit.points))
        self.balance += debit.points
        self._note_unavailable(lot, debit.points, now)
        self._note_expiry(lot, now)
        return debit._replace(points=-debit.points)

    def take_back_earned(self, points: int, transaction_id: int) -> None:
        """Lower the lifetime points by what was reversed of an award, perhaps of one from before the window."""
        self.lifetime_points -= points
        if points and transaction_id < self.window_from:
            self.earned_before -= points
            self.window_changed = True

    def count_in(self, periods: Iterable[Period], points: int, sequence: int, field: str = "") -> None:
        """Add `points` to the user's totals of `periods`; `reached` changes only where the score does.

        SCORE_OUT_OF_RANGE as in `check_exact`, and then it has changed nothing.
        """
        if not points:
            return
        counted = {}
        for period in periods:
            before = self.totals.get(period.id)
            score = (before.score if before else 0) + points
            if points > 0:
                check_exact(score, field)
            counted[period.id] = Total(score, sequence)
        self.totals |= counted

    @property
    def qualifying_points(self) -> int:
        """The points that decide the tier."""
        return self.lifetime_points - self.earned_before

    def promote(self, now: datetime) -> TierChange | None:
        """Move to the tier that an award has reached and return the change; with a window only a review demotes."""
        reached = tier_for(self.qualifying_points)
        return None if self.window_from and reached < self.tier else self.settle_tier(now)

    def demote(self, points_before: int, now: datetime) -> TierChange | None:
        """Leave the tier if `points_before` reached it and the qualifying points do no longer; return the change.

        Who was below it before keeps the time that he has to come back.
        """
        fell = tier_for(self.qualifying_points) < self.tier <= tier_for(points_before)
        return self.settle_tier(now) if fell else None

    def settle_tier(self, now: datetime) -> TierChange | None:
        """Move to the tier that the qualifying points reach, also down, and return the change."""
        change = tier_change(self.user_id, self.tier, tier_for(self.qualifying_points), now)
        if change:
            self.tier, self.tier_since = change.to_tier, now
        return change

    def spill(self, now: datetime, grace: timedelta, zone: tzinfo, matrix: BoardMatrix) -> list[PastTotal]:
        """Take the totals that can change no more out of the hot row and return them.

        Comes before any change of tier or profile: the boards of the past keep those who were on them.
        """
        over = [
            period_id
            for period_id in self.totals
            if period_id != ALL_TIME.id and not _period(period_id, zone).open_at(now, grace + SPILL_MARGIN)
        ]
        return [
            past_total(period_id, self.user_no, self.totals.pop(period_id), self.membership, matrix)
            for period_id in over
        ]

    def _note_times(self, lot: Lot, now: datetime) -> None:
        self._note_expiry(lot, now)
        if lot.activates_at is not None and lot.activates_at > now:
            self.pending_until = max(self.pending_until or lot.activates_at, lot.activates_at)
            self.pending_points += lot.remaining
            self.unavailable_points += lot.remaining

    def _note_expiry(self, lot: Lot, now: datetime) -> None:
        if lot.expires_at is None:
            return
        self.next_expiry = min(self.next_expiry or lot.expires_at, lot.expires_at)
        if lot.expires_at > now:
            self.following_expiry = min(self.following_expiry or lot.expires_at, lot.expires_at)

    def _note_unavailable(self, lot: Lot, points: int, now: datetime) -> None:
        if not lot.counts_at(now):
            self.unavailable_points += points
        if lot.pending_at(now):
            self.pending_points += points


def check_exact(score: int, field: str = "") -> None:
    """Refuse what boards could not rank exactly: SCORE_OUT_OF_RANGE.

    `field` is the one of the request that leads there, if it is one alone.
    """
    if score > MAX_EXACT:
        raise LaurelError(
            Reason.SCORE_OUT_OF_RANGE,
            "the user would have more than 2^53 points",
            metadata={"score": str(score), "min": str(-MAX_EXACT), "max": str(MAX_EXACT)},
            field=field,
        )


@lru_cache(maxsize=1024)
def _period(period_id: str, zone: tzinfo) -> Period:
    return parse_period_id(period_id, zone)


def needs_lot_times(account: Account, now: datetime) -> bool:
    """Whether a lot of the user may be pending or expired or a hold timed out, so that they must be looked at."""
    return (
        account.held_points > 0
        or (account.next_expiry is not None and account.next_expiry <= now)
        or (account.pending_until is not None and account.pending_until > now)
    )


def changed_accounts(accounts: Collection[Account]) -> list[Account]:
    """Return the accounts that a batch has to write, in the order of their rows."""
    return sorted((account for account in accounts if account.changed), key=lambda account: account.user_no)
