"""What a program must award, in plain Python and without code of Laurel: limits, campaigns, referrals and streaks."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from fractions import Fraction
from math import floor

from tests.oracle.ledger import TIERS, Refused

FACTORS = {"BRONZE": Fraction(1), "SILVER": Fraction(3, 2), "GOLD": Fraction(2), "PLATINUM": Fraction(3)}
FACTORS["DIAMOND"] = Fraction(5)


@dataclass(frozen=True)
class Action:
    """A rule; `base` None: what the award says. 0 and None are no limit, no streak, no reward of the other side."""

    base: Fraction | None = None
    per_award: int = 0
    per_day: int = 0
    refuses: bool = False
    cooldown: timedelta = timedelta()
    step: Fraction | None = None
    most: Fraction | None = None
    other: int = 0


@dataclass
class Campaign:
    """A multiplier in `[starts_at, ends_at)`; a budget of 0 is none."""

    factor: Fraction
    actions: frozenset[str]
    starts_at: datetime
    ends_at: datetime
    is_exclusive: bool = False
    budget: int = 0
    spent: int = 0

    def applies(self, action: str, now: datetime) -> bool:
        return (
            action in self.actions
            and self.starts_at <= now < self.ends_at
            and (not self.budget or self.spent < self.budget)
        )


@dataclass
class Use:
    """What somebody had of one action."""

    day: date
    points: int
    at: datetime
    streak_day: date | None
    streak: int


@dataclass
class Person:
    """Somebody who earns."""

    earned: int = 0
    used: dict[str, Use] = field(default_factory=dict)

    @property
    def tier(self) -> str:
        return next((name for least, name in TIERS if self.earned >= least), "BRONZE")


@dataclass(frozen=True)
class Awarded:
    """What an award gave, and to the other side; `cap` is what cut it last."""

    points: int
    uncapped: int
    cap: str
    streak: int
    other: int


@dataclass
class Program:
    """The rules and the people; days are those of `zone`."""

    zone: tzinfo
    actions: dict[str, Action]
    campaigns: dict[str, Campaign]
    people: dict[str, Person] = field(default_factory=dict)

    def award(
        self, user: str, action: str, amount: Fraction, occurred_at: datetime, now: datetime, other: str
    ) -> Awarded:
        rule, person = self.actions[action], self.people.get(user, Person())
        if rule.other and other == user:
            raise Refused("INVALID_FIELD")
        use = person.used.get(action)
        if use is not None and rule.cooldown and now < use.at + rule.cooldown:
            raise Refused("COOLDOWN_ACTIVE")
        day, today = occurred_at.astimezone(self.zone).date(), now.astimezone(self.zone).date()
        streak = self._streak(rule, use, day)
        base = self._base(rule, amount, streak) * FACTORS[person.tier]
        points, cap, joined = self._multiplied(action, rule, base, now)
        uncapped = floor(base * _product([campaign.factor for campaign, _ in joined]))
        used = use.points if use is not None and use.day == today else 0
        if rule.per_day:
            left = rule.per_day - used
            if left <= 0 or (rule.refuses and points > left):
                raise Refused("DAILY_CAP_REACHED")
            points, cap = (left, "DAILY") if points > left else (points, cap)
        rest = points - floor(base)
        for campaign, extra in joined:
            campaign.spent += max(0, min(extra, rest)) if campaign.budget else 0
            rest -= extra
        self.people[user] = person
        person.earned += points
        person.used[action] = Use(today, used + points, now, day if streak else None, streak)
        given = rule.other if other else 0
        if given:
            self.people.setdefault(other, Person()).earned += given
        return Awarded(points, uncapped, cap, streak, given)

    def _streak(self, rule: Action, use: Use | None, day: date) -> int:
        if rule.step is None:
            return 0
        if use is None or use.streak_day is None:
            return 1
        if day <= use.streak_day:
            raise Refused("COOLDOWN_ACTIVE")
        return use.streak + 1 if day - use.streak_day == timedelta(days=1) else 1

    def _base(self, rule: Action, amount: Fraction, streak: int) -> Fraction:
        base = amount if rule.base is None else rule.base
        grown = base + (rule.step or 0) * max(0, streak - 1)
        return grown if rule.most is None else min(grown, rule.most)

    def _multiplied(
        self, action: str, rule: Action, base: Fraction, now: datetime
    ) -> tuple[int, str, list[tuple[Campaign, int]]]:
        """Return the points within budgets and the cap per award, what cut them, and what each campaign may add."""
        joining = [each for _, each in sorted(self.campaigns.items()) if each.applies(action, now)]
        rivals = [each for each in joining if each.is_exclusive]
        best = max(rivals, key=lambda each: each.factor, default=None)
        worth, joined = base, []
        for campaign in joining:
            if campaign.is_exclusive and campaign is not best:
                continue
            more = worth * campaign.factor
            extra = floor(more) - floor(worth)
            left = campaign.budget - campaign.spent if campaign.budget else extra
            joined.append((campaign, min(extra, left)))
            worth = more
        points, cap = floor(worth), ""
        if rule.per_award and points > rule.per_award:
            points, cap = rule.per_award, "PER_ACTION"
        most = floor(base) + sum(extra for _, extra in joined)
        return (most, "CAMPAIGN_BUDGET", joined) if points > most else (points, cap, joined)


def _product(factors: list[Fraction]) -> Fraction:
    product = Fraction(1)
    for factor in factors:
        product *= factor
    return product
