"""What a shop's purchases must lead to, computed without any code of Laurel.

One award a purchase: floor(amount x multiplier of the tier before it), spendable for one year, counted in the day, the
ISO week, the month and for ever. Equal scores are ranked by who reached theirs first. An hour after a day, a week or a
month has ended, its first three win a prize, which counts for ever and in no other period, and does not expire.

A cancellation refunds the customer's latest purchases, each up to its amount. Of a purchase's points that part is taken
back which was refunded of its amount, floored on the sum: from these points if they have not expired, then from others,
down to 0. They no longer count in the periods of the purchase that have not ended an hour before.
"""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

TIERS = (
    (50_000, "DIAMOND", Fraction(5)),
    (20_000, "PLATINUM", Fraction(3)),
    (10_000, "GOLD", Fraction(2)),
    (5_000, "SILVER", Fraction(3, 2)),
    (0, "BRONZE", Fraction(1)),
)


PRIZES = ((100, 50, 25), (1000, 500, 250), (5000, 2500, 1000))
"""For the first three of a day, a week and a month."""

GRACE = timedelta(hours=1)
BATCH = 64
"""Purchases that are played together, with the clock at the last of them; a batch stays within a day."""


class Purchase(NamedTuple):
    """One row of the shop's file."""

    invoice: str
    at: datetime
    customer: str
    country: str
    amount: Fraction


class Refund(NamedTuple):
    """A part of a purchase that was paid back."""

    at: datetime
    customer: str
    invoice: str
    amount: Fraction


@dataclass
class Award:
    """A purchase's points: how many were given, how many of them are left, and what was paid back."""

    at: datetime
    amount: Fraction
    points: int
    left: int
    refunded: Fraction = Fraction()

    def lives(self, now: datetime) -> bool:
        return now < self.at.replace(year=self.at.year + 1)


class Standing(NamedTuple):
    """One line of a board."""

    rank: int
    customer: str
    score: int


@dataclass
class Customer:
    """What one customer has."""

    country: str = ""
    lifetime: int = 0
    prizes: int = 0
    awards: dict[str, Award] = field(default_factory=dict)

    @property
    def tier(self) -> str:
        """The tier by lifetime points."""
        return next(name for threshold, name, _ in TIERS if self.lifetime >= threshold)

    @property
    def multiplier(self) -> Fraction:
        """What the tier multiplies by."""
        return next(multiplier for threshold, _, multiplier in TIERS if self.lifetime >= threshold)

    def balance(self, now: datetime) -> int:
        """The prizes, and the points that are not a year old yet."""
        return self.prizes + sum(award.left for award in self.awards.values() if award.lives(now))

    def take_back(self, invoice: str, points: int, now: datetime) -> int:
        """Take points from those of the purchase, then from others that expire first, prizes last; return how many."""
        left = points
        own = self.awards[invoice]
        for award in [own, *sorted(self.awards.values(), key=lambda award: award.at)]:
            if award.lives(now):
                taken = min(left, award.left)
                award.left -= taken
                left -= taken
        taken = min(left, self.prizes)
        self.prizes -= taken
        return points - left + taken


class Program:
    """All customers and boards after some purchases and refunds."""

    def __init__(self, purchases: Iterable[Purchase | Refund]) -> None:
        self.customers: dict[str, Customer] = defaultdict(Customer)
        self.awards = 0
        self.points = 0
        self.refunds = 0
        self.points_taken_back = 0
        self._totals: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
        self._open: dict[str, tuple[datetime, int]] = {}
        self._entries = 0
        for batch in batches(purchases):
            self.close(batch[-1].at)
            for event in batch:
                if isinstance(event, Refund):
                    self._refund(event, batch[-1].at)
                else:
                    self._award(event)

    def close(self, now: datetime) -> None:
        """Give the prizes of the periods that ended an hour before `now`: the oldest first, a day before a month."""
        for (ends_at, kind), period_id in sorted((end, period_id) for period_id, end in self._open.items()):
            if ends_at + GRACE <= now:
                del self._open[period_id]
                for standing, prize in zip(self.board(period_id), PRIZES[kind], strict=False):
                    customer = self.customers[standing.customer]
                    customer.lifetime += prize
                    customer.prizes += prize
                    self._count("all", standing.customer, prize)

    @property
    def period_ids(self) -> Iterator[str]:
        """Every period in which somebody has points."""
        return iter(self._totals)

    def board(self, period_id: str, belongs: Callable[[Customer], bool] = lambda _: True) -> list[Standing]:
        """The board of a period with those who belong to it, best first."""
        ranked = sorted(
            (-score, reached, customer)
            for customer, (score, reached) in self._totals[period_id].items()
            if score and belongs(self.customers[customer])
        )
        return [Standing(rank, customer, -minus) for rank, (minus, _, customer) in enumerate(ranked, start=1)]

    def _award(self, purchase: Purchase) -> None:
        customer = self.customers[purchase.customer]
        points = int(purchase.amount * customer.multiplier)
        customer.country = purchase.country or customer.country
        customer.lifetime += points
        customer.awards[purchase.invoice] = Award(purchase.at, purchase.amount, points, points)
        self.awards += 1
        self.points += points
        if points:
            ends = ends_of(purchase.at)
            for kind, period_id in enumerate(periods_of(purchase.at)):
                self._count(period_id, purchase.customer, points)
                if period_id != "all":
                    self._open[period_id] = ends[kind], kind

    def _refund(self, refund: Refund, now: datetime) -> None:
        customer = self.customers[refund.customer]
        award = customer.awards[refund.invoice]
        before, award.refunded = award.refunded, award.refunded + refund.amount / award.amount
        wanted = int(award.points * award.refunded) - int(award.points * before)
        taken = customer.take_back(refund.invoice, wanted, now)
        customer.lifetime -= taken
        self.refunds += 1
        self.points_taken_back += taken
        ends = (*ends_of(award.at), None)
        for end, period_id in zip(ends, periods_of(award.at), strict=True):
            if taken and (end is None or now < end + GRACE):
                self._count(period_id, refund.customer, -taken)

    def _count(self, period_id: str, customer: str, points: int) -> None:
        self._entries += 1
        score, _ = self._totals[period_id].get(customer, (0, 0))
        self._totals[period_id][customer] = (score + points, self._entries)


def periods_of(moment: datetime) -> tuple[str, str, str, str]:
    """Return the ids of the periods that a moment lies in."""
    week = moment.isocalendar()
    return f"{moment:%Y-%m-%d}", f"{week.year}-W{week.week:02}", f"{moment:%Y-%m}", "all"


def ends_of(moment: datetime) -> tuple[datetime, datetime, datetime]:
    """Return the ends of the day, the week and the month that a moment lies in."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    month = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return day + timedelta(days=1), day + timedelta(days=7 - day.weekday()), month


def batches(purchases: Iterable[Purchase | Refund]) -> Iterator[list[Purchase | Refund]]:
    """Yield the purchases and refunds as they are played together."""
    for _, day in groupby(
        sorted(purchases, key=lambda purchase: purchase.at), lambda purchase: purchase.at.date()
    ):
        of_day = list(day)
        yield from (of_day[start : start + BATCH] for start in range(0, len(of_day), BATCH))


def read_purchases(file: Path) -> list[Purchase | Refund]:
    """Return the purchases of a shop's file and its cancellations as refunds, in its order."""
    events: list[Purchase | Refund] = []
    bought: dict[str, list[tuple[Purchase, Fraction]]] = defaultdict(list)
    with file.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            at = datetime.fromisoformat(row["invoiced_at"]).astimezone(UTC)
            customer, amount = row["customer_id"], Fraction(row["amount"])
            if row["kind"] == "PURCHASE":
                purchase = Purchase(row["invoice_no"], at, customer, row["country"], amount)
                events.append(purchase)
                bought[customer].append((purchase, amount))
            elif row["kind"] == "CANCELLATION":
                events += refunds_of(bought[customer], at, amount)
    return events


def refunds_of(bought: list[tuple[Purchase, Fraction]], at: datetime, amount: Fraction) -> Iterator[Refund]:
    """Yield the refunds that make up a cancellation, and note in `bought` what is left of each purchase."""
    for place in reversed(range(len(bought))):
        purchase, left = bought[place]
        refunded = min(left, amount)
        if refunded > 0 and purchase.at <= at:
            bought[place] = purchase, left - refunded
            amount -= refunded
            yield Refund(at, purchase.customer, purchase.invoice, refunded)
