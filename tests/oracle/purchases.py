"""What a shop's purchases must lead to, computed without any code of Laurel.

One award a purchase: floor(amount x multiplier of the tier before it), spendable for one year, counted in the day, the
ISO week, the month and for ever. Equal scores are ranked by who reached theirs first.
"""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

TIERS = (
    (50_000, "DIAMOND", Fraction(5)),
    (20_000, "PLATINUM", Fraction(3)),
    (10_000, "GOLD", Fraction(2)),
    (5_000, "SILVER", Fraction(3, 2)),
    (0, "BRONZE", Fraction(1)),
)


class Purchase(NamedTuple):
    """One row of the shop's file."""

    invoice: str
    at: datetime
    customer: str
    country: str
    amount: Fraction


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
    awards: list[tuple[datetime, int]] = field(default_factory=list)

    @property
    def tier(self) -> str:
        """The tier by lifetime points."""
        return next(name for threshold, name, _ in TIERS if self.lifetime >= threshold)

    @property
    def multiplier(self) -> Fraction:
        """What the tier multiplies by."""
        return next(multiplier for threshold, _, multiplier in TIERS if self.lifetime >= threshold)

    def balance(self, now: datetime) -> int:
        """The points that are not a year old yet."""
        return sum(points for at, points in self.awards if now < at.replace(year=at.year + 1))


class Program:
    """All customers and boards after some purchases."""

    def __init__(self, purchases: Iterable[Purchase]) -> None:
        self.customers: dict[str, Customer] = defaultdict(Customer)
        self.awards = 0
        self.points = 0
        self._totals: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
        for number, purchase in enumerate(purchases):
            self._award(number, purchase)

    @property
    def period_ids(self) -> Iterator[str]:
        """Every period in which somebody has points."""
        return iter(self._totals)

    def board(self, period_id: str, belongs: Callable[[Customer], bool] = lambda _: True) -> list[Standing]:
        """The board of a period with those who belong to it, best first."""
        ranked = sorted(
            (-score, reached, customer)
            for customer, (score, reached) in self._totals[period_id].items()
            if belongs(self.customers[customer])
        )
        return [Standing(rank, customer, -minus) for rank, (minus, _, customer) in enumerate(ranked, start=1)]

    def _award(self, number: int, purchase: Purchase) -> None:
        customer = self.customers[purchase.customer]
        points = int(purchase.amount * customer.multiplier)
        customer.country = purchase.country or customer.country
        customer.lifetime += points
        customer.awards.append((purchase.at, points))
        self.awards += 1
        self.points += points
        if points:
            for period_id in periods_of(purchase.at):
                score, _ = self._totals[period_id].get(purchase.customer, (0, 0))
                self._totals[period_id][purchase.customer] = (score + points, number)


def periods_of(moment: datetime) -> tuple[str, str, str, str]:
    """Return the ids of the periods that a moment lies in."""
    week = moment.isocalendar()
    return f"{moment:%Y-%m-%d}", f"{week.year}-W{week.week:02}", f"{moment:%Y-%m}", "all"


def read_purchases(file: Path) -> list[Purchase]:
    """Return the purchases of a shop's file, in its order; other rows are left out."""
    with file.open(newline="", encoding="utf-8") as lines:
        return [
            Purchase(
                row["invoice_no"],
                datetime.fromisoformat(row["invoiced_at"]).astimezone(UTC),
                row["customer_id"],
                row["country"],
                Fraction(row["amount"]),
            )
            for row in csv.DictReader(lines)
            if row["kind"] == "PURCHASE"
        ]
