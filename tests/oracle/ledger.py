"""What a ledger of points must do, in plain Python and without any code of Laurel: one user, one command at a time."""

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

TIERS = ((50_000, "DIAMOND"), (20_000, "PLATINUM"), (10_000, "GOLD"), (5_000, "SILVER"))


class Refused(Exception):
    """The rules say no; the argument is the reason."""


@dataclass
class Lot:
    """Points in `[activates_at, expires_at)`."""

    remaining: int
    activates_at: datetime
    expires_at: datetime | None

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def pending(self, now: datetime) -> bool:
        return not self.expired(now) and now < self.activates_at

    def counts(self, now: datetime) -> bool:
        return not self.expired(now) and not self.pending(now)


@dataclass
class Hold:
    """Points set aside."""

    points: int
    expires_at: datetime
    over: bool = False

    def active(self, now: datetime) -> bool:
        return not self.over and now < self.expires_at


@dataclass
class Entry:
    """One line of the statement: what it gave, and what can be undone of it."""

    kind: str
    points: int
    lot: Lot | None = None
    debits: list[tuple[Lot, int]] = field(default_factory=list)
    undone: int = 0
    parts: Fraction = Fraction()


@dataclass
class Account:
    """One user."""

    lots: list[Lot] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    deficit: int = 0
    lifetime: int = 0
    redeemed: int = 0
    expired: int = 0

    def balances(self, now: datetime) -> tuple[int, int, int, int, int, int, str]:
        """Available, lifetime, redeemed, expired, held and pending points, and the tier."""
        pending = sum(lot.remaining for lot in self.lots if lot.pending(now))
        tier = next((name for least, name in TIERS if self.lifetime >= least), "BRONZE")
        expired = self.expired + sum(lot.remaining for lot in self.lots if lot.expired(now))
        available, held = self._available(now)
        return available, self.lifetime, self.redeemed, expired, held, pending, tier

    def award(self, points: int, activates_at: datetime, expires_at: datetime | None) -> Entry:
        self.lifetime += points
        return self._open("AWARD", points, activates_at, expires_at)

    def adjust(self, points: int, now: datetime, expires_at: datetime | None) -> Entry:
        if points > 0:
            return self._open("ADJUSTMENT", points, now, expires_at)
        self._require(-points, now)
        return self._post(Entry("ADJUSTMENT", points, debits=self._take(-points, now)))

    def redeem(self, points: int, now: datetime) -> Entry:
        self._require(points, now)
        return self._spend(points, now)

    def cancel(self, entry: Entry) -> Entry:
        if entry.kind != "REDEMPTION":
            raise Refused("NOT_REVERSIBLE")
        if entry.undone:
            raise Refused("ALREADY_REVERSED")
        for lot, points in entry.debits:
            lot.remaining += points
        entry.undone = -entry.points
        self.redeemed += entry.points
        return self._post(Entry("REVERSAL", -entry.points))

    def hold(self, points: int, now: datetime, expires_at: datetime) -> Hold:
        self._require(points, now)
        self.holds.append(Hold(points, expires_at))
        return self.holds[-1]

    def capture(self, hold: Hold, points: int, now: datetime) -> Entry:
        points = points or hold.points
        if not hold.active(now):
            raise Refused("HOLD_NOT_ACTIVE")
        if points > hold.points:
            raise Refused("HOLD_EXCEEDED")
        if points > self._active(now):
            raise Refused("INSUFFICIENT_POINTS")
        hold.over = True
        return self._spend(points, now)

    def release(self, hold: Hold, now: datetime) -> None:
        if not hold.active(now):
            raise Refused("HOLD_NOT_ACTIVE")
        hold.over = True

    def reverse(self, entry: Entry, points: int, part: Fraction, policy: str, now: datetime) -> Entry:
        """Take back points, a part, or (neither) all that is left."""
        if entry.points < 0 or entry.kind not in {"AWARD", "ADJUSTMENT"}:
            raise Refused("NOT_REVERSIBLE")
        left, parts = entry.points - entry.undone, entry.parts + part
        if part:
            wanted = int(entry.points * parts) - int(entry.points * entry.parts)
        else:
            wanted, parts = (points, entry.parts) if points else (left, Fraction(1))
        exhausted = parts > 1 if part else left == 0 and (entry.undone > 0 or entry.parts > 0)
        if exhausted or wanted > left:
            raise Refused("ALREADY_REVERSED")
        taken = self._take_back(entry, wanted, policy, now)
        entry.undone, entry.parts = entry.undone + taken, parts
        if entry.kind == "AWARD":
            self.lifetime -= taken
        return self._post(Entry("REVERSAL", -taken))

    def expire(self, now: datetime) -> list[Entry]:
        """Post what has expired, soonest first."""
        entries = []
        for lot in sorted(self.lots, key=lambda lot: (lot.expires_at is None, lot.expires_at)):
            if lot.expired(now) and lot.remaining:
                self.expired += lot.remaining
                entries.append(self._post(Entry("EXPIRATION", -lot.remaining)))
                lot.remaining = 0
        return entries

    def _active(self, now: datetime) -> int:
        return sum(lot.remaining for lot in self.lots if lot.counts(now)) - self.deficit

    def _available(self, now: datetime) -> tuple[int, int]:
        active = self._active(now)
        held = min(sum(hold.points for hold in self.holds if hold.active(now)), max(0, active))
        return active - held, held

    def _require(self, points: int, now: datetime) -> None:
        if self._available(now)[0] < points:
            raise Refused("INSUFFICIENT_POINTS")

    def _open(self, kind: str, points: int, activates_at: datetime, expires_at: datetime | None) -> Entry:
        filled = min(points, self.deficit)
        self.deficit -= filled
        lot = Lot(points - filled, activates_at, expires_at)
        self.lots.append(lot)
        return self._post(Entry(kind, points, lot))

    def _post(self, entry: Entry) -> Entry:
        self.entries.append(entry)
        return entry

    def _spend(self, points: int, now: datetime) -> Entry:
        self.redeemed += points
        return self._post(Entry("REDEMPTION", -points, debits=self._take(points, now)))

    def _take(self, points: int, now: datetime) -> list[tuple[Lot, int]]:
        """Take up to so many points: soonest expiry first, then oldest, never-expiring last."""
        debits = []
        for lot in sorted(self.lots, key=lambda lot: (lot.expires_at is None, lot.expires_at)):
            taken = min(points, lot.remaining) if lot.counts(now) else 0
            if taken:
                lot.remaining -= taken
                points -= taken
                debits.append((lot, taken))
        return debits

    def _take_back(self, entry: Entry, wanted: int, policy: str, now: datetime) -> int:
        own, taken = entry.lot, 0
        if own is not None and not own.expired(now):
            taken = min(wanted, own.remaining)
            if own.counts(now) and policy != "ALLOW_NEGATIVE":
                taken = min(taken, max(0, self._available(now)[0]))
            own.remaining -= taken
        if policy == "CLAMP":
            more = min(wanted - taken, max(0, self._available(now)[0]))
            taken += sum(points for _, points in self._take(more, now))
        elif policy == "ALLOW_NEGATIVE":
            taken += sum(points for _, points in self._take(wanted - taken, now))
            self.deficit += wanted - taken
            taken = wanted
        return taken
