"""Awards under limits, in campaigns, with referrals and streaks give what the plain model of them gives."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest

from laurel_server.domain.actions import ActionConfig, CapMode
from laurel_server.domain.awards import AwardAnswer, AwardCommand
from laurel_server.domain.campaigns import Campaign, StackMode
from laurel_server.domain.errors import LaurelError
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import START, command, wrongs
from tests.oracle import program
from tests.oracle.ledger import Refused
from tests.oracle.program import Action, Awarded, Person, Program

USERS = ("ann", "bob", "cleo")
REFUSALS = ("COOLDOWN_ACTIVE", "DAILY_CAP_REACHED", "INVALID_FIELD")
ACTIONS = {
    "SPEND": Action(),
    "CUT": Action(per_award=300, per_day=700),
    "WHOLE": Action(per_day=500, refuses=True),
    "REST": Action(base=Fraction(40), cooldown=timedelta(hours=5)),
    "DAYS": Action(base=Fraction(5), step=Fraction(5, 2), most=Fraction(20)),
    "BOTH": Action(base=Fraction(100), other=70),
}


def config_of(name: str, rule: Action) -> ActionConfig:
    return ActionConfig(
        name,
        points_formula="points" if rule.base is None else "",
        base_points=None if rule.base is None else Decimal(int(rule.base)),
        max_points_per_action=rule.per_award,
        max_daily_points=rule.per_day,
        cap_mode=CapMode.REJECT if rule.refuses else CapMode.PARTIAL,
        cooldown=rule.cooldown,
        streak_step=None if rule.step is None else Decimal(str(float(rule.step))),
        streak_maximum=None if rule.most is None else Decimal(int(rule.most)),
        referral_points=rule.other,
    )


class Season:
    """A program that lives for some days, and the model of it."""

    def __init__(self, parts: Parts, seed: int) -> None:
        self.parts = parts
        self.random = Random(seed)
        self.now = START
        self.program = Program(parts.zone, ACTIONS, {})
        self.seen: set[str] = set()

    async def begin(self) -> None:
        for name, rule in ACTIONS.items():
            await self.parts.rule_book.put_action(config_of(name, rule), "tests")
        for name in ("a", "b", "c", "d"):
            await self._campaign(name)

    async def _campaign(self, name: str) -> None:
        draw = self.random
        wanted = program.Campaign(
            Fraction(draw.choice((5, 6, 8, 12)), 4),
            frozenset(draw.sample(tuple(ACTIONS), 4)),
            START + timedelta(days=draw.choice((-1, 1))),
            START + timedelta(days=draw.choice((2, 9))),
            is_exclusive=draw.random() < 0.3,
            budget=draw.choice((0, 60, 300, 900)),
        )
        self.program.campaigns[name] = wanted
        stored = Campaign(
            name,
            "",
            wanted.actions,
            Decimal(wanted.factor.numerator) / wanted.factor.denominator,
            wanted.starts_at,
            wanted.ends_at,
            stack_mode=StackMode.BEST_ONLY if wanted.is_exclusive else StackMode.MULTIPLY,
            budget_points=wanted.budget,
        )
        await self.parts.rule_book.put_campaign(stored, "tests")

    async def play(self, awards: int) -> None:
        """Make awards in one call, and compare each."""
        commands = [self._draw() for _ in range(awards)]
        answers = await self.parts.awards.award_batch(commands, None)
        for asked, answer in zip(commands, answers, strict=True):
            expected = self._expected(asked)
            assert _read(answer) == expected, asked
            self.seen.add(expected if isinstance(expected, str) else expected.cap)

    def _draw(self) -> AwardCommand:
        draw = self.random
        late = draw.choice((None, None, None, timedelta(hours=3), timedelta(days=1)))
        return command(
            draw.choice(USERS),
            action=draw.choice(tuple(ACTIONS)),
            attributes={"points": draw.choice(("0", "7.99", "33", "450", "2000.5"))},
            referral_id=draw.choice(("", *USERS)),
            occurred_at=None if late is None else self.now - late,
        )

    def _expected(self, asked: AwardCommand) -> Awarded | str:
        amount, occurred_at = Fraction(asked.attributes["points"]), asked.occurred_at or self.now
        try:
            return self.program.award(
                asked.user_id, asked.action, amount, occurred_at, self.now, asked.referral_id
            )
        except Refused as refused:
            return str(refused)

    async def advance(self) -> None:
        assert self.parts.clock is not None
        self.now += self.random.choice((timedelta(hours=4), timedelta(hours=13), timedelta(days=2)))
        await self.parts.clock.set(self.now)

    async def compare(self) -> None:
        """Compare what people and campaigns have in the end; the ledger must agree with itself."""
        found = await self.parts.statement.rewards_of(USERS)
        people = {user: self.program.people.get(user, Person()) for user in found}
        assert {user: (each.lifetime_points, each.tier.name) for user, each in found.items()} == {
            user: (person.earned, person.tier) for user, person in people.items()
        }
        spent = {each.campaign_id: each.spent_points for each in await self.parts.rule_book.campaigns()}
        assert spent == {name: campaign.spent for name, campaign in self.program.campaigns.items()}
        assert await wrongs(self.parts, "ledger") == []


def _read(answer: AwardAnswer | Exception) -> Awarded | str:
    if not isinstance(answer, AwardAnswer):
        assert isinstance(answer, LaurelError), answer
        return answer.reason.value
    made = answer.breakdown
    other = answer.referral.points if answer.referral else 0
    return Awarded(answer.entry.points, made.uncapped_points, made.cap, made.streak, other)


@pytest.mark.parametrize("seed", [0, 1, 5, 6])
async def test_awards_give_what_the_model_gives(parts: Parts, seed: int) -> None:
    season = Season(parts, seed)
    await season.begin()
    for _ in range(6):
        await season.play(40)
        await season.advance()
    await season.compare()
    assert season.seen == {"", "PER_ACTION", "CAMPAIGN_BUDGET", "DAILY", *REFUSALS}
