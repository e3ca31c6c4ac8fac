"""Why an entry has the points it has: computed again from what was recorded with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from laurel_server.domain.actions import ActionConfig
from laurel_server.domain.campaigns import AppliedCampaign
from laurel_server.domain.decimals import EXACT, ONE, decimal_text
from laurel_server.domain.errors import LaurelError
from laurel_server.domain.ledger import LedgerEntry
from laurel_server.domain.lots import Debit
from laurel_server.domain.points import (
    CAMPAIGN_BUDGET,
    DAILY,
    PER_ACTION,
    Breakdown,
    apply_daily_cap,
    calculate,
    cut_to_budgets,
)
from laurel_server.domain.tiers import Tier


class Step(NamedTuple):
    """One step of the computation: what it is, the value it leads to (an exact decimal), and in words."""

    name: str
    value: str
    text: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry with its inputs, the version of the action config that it names, and what it did to lots."""

    entry: LedgerEntry
    inputs: Mapping[str, Any]
    config: ActionConfig | None
    lots: Sequence[Debit] = ()

    @property
    def is_award(self) -> bool:
        """Whether the points come from a rule, and not from what a caller or a job said."""
        return "config" in self.inputs

    @property
    def granted(self) -> int | None:
        """What Laurel itself gave, exactly; None if a rule decided."""
        points: int | None = self.inputs.get("granted")
        return points

    @property
    def tier(self) -> Tier:
        """The tier before the entry."""
        return Tier[self.inputs["tier"]]

    @property
    def campaigns(self) -> tuple[AppliedCampaign, ...]:
        """The campaigns that multiplied."""
        return tuple(AppliedCampaign(name, Decimal(value)) for name, value in self.inputs["campaigns"])


@dataclass(frozen=True, slots=True)
class Explanation:
    """The computation in steps, and where it leads to something else than what was recorded."""

    recorded: Recorded
    steps: tuple[Step, ...]
    differences: tuple[str, ...]


def explain(recorded: Recorded) -> Explanation:
    """Compute an entry again."""
    if not recorded.is_award:
        return Explanation(recorded, _movement_steps(recorded), tuple(_movement_differences(recorded)))
    if recorded.granted is not None:
        step = Step("granted", str(recorded.granted), "given by Laurel itself, outside of the action's rule")
        return Explanation(
            recorded, (step,), tuple(_unequal("points", recorded.granted, recorded.entry.points))
        )
    if recorded.config is None:
        version = recorded.inputs["config"]
        return Explanation(recorded, (), (f"version {version} of {recorded.entry.action} is gone",))
    try:
        computed = _compute(recorded, recorded.config)
    except LaurelError as refusal:
        return Explanation(recorded, (), (f"it cannot be computed any more: {refusal.message}",))
    steps = tuple(_award_steps(recorded, recorded.config, computed))
    return Explanation(recorded, steps, tuple(_award_differences(recorded, recorded.config, computed)))


def _compute(recorded: Recorded, config: ActionConfig) -> Breakdown:
    """Compute an award again, with what budgets and the daily cap left of it."""
    inputs = recorded.inputs
    computed = calculate(
        config, inputs["attributes"], recorded.tier, recorded.campaigns, inputs.get("streak", 0)
    )
    if "budgets" in inputs:
        computed = cut_to_budgets(computed, dict(inputs["budgets"]))
    return apply_daily_cap(computed, config, inputs["used_today"]) if "used_today" in inputs else computed


def _award_steps(recorded: Recorded, config: ActionConfig, computed: Breakdown) -> list[Step]:
    given = ", ".join(f"{name} = {value}" for name, value in sorted(recorded.inputs["attributes"].items()))
    base = (
        f"{config.points_formula} with {given}" if config.points_formula else "the fixed base of the action"
    )
    worth = EXACT.multiply(computed.base_points, computed.multiplier)
    steps = [
        Step("base", decimal_text(computed.base_points), base + _streak_words(computed.streak)),
        Step("tier", decimal_text(computed.tier_multiplier), f"multiplier of {recorded.tier.name}"),
        *(
            Step(
                "campaign",
                decimal_text(campaign.multiplier),
                f"multiplier of campaign {campaign.campaign_id}",
            )
            for campaign in computed.campaigns
        ),
        Step("product", decimal_text(worth), "base and multipliers"),
        Step("rounded", str(computed.uncapped_points), "down, once, at the end"),
    ]
    if recorded.inputs["cap"]:
        steps.append(Step("capped", str(recorded.entry.points), _cap_words(recorded.inputs, config)))
    return steps


def _streak_words(streak: int) -> str:
    return f", grown by {streak} days in a row" if streak else ""


_CAPS = {
    PER_ACTION: "cut to the cap of the action",
    DAILY: "cut to what the daily cap left",
    CAMPAIGN_BUDGET: "cut to what the budgets of the campaigns left",
}


def _cap_words(inputs: Mapping[str, Any], config: ActionConfig) -> str:
    words = _CAPS[inputs["cap"]]
    if inputs["cap"] == DAILY and "used_today" in inputs:
        return f"{words}: {inputs['used_today']} of {config.max_daily_points} were used"
    if inputs["cap"] == CAMPAIGN_BUDGET and "budgets" in inputs:
        left = ", ".join(f"{points} of {name}" for name, points in inputs["budgets"])
        return f"{words}: {left}"
    return words


def _award_differences(recorded: Recorded, config: ActionConfig, computed: Breakdown) -> list[str]:
    entry, inputs = recorded.entry, recorded.inputs
    differences = [
        *_unequal("base_points", computed.base_points, entry.base_points),
        *_unequal("tier_multiplier", computed.tier_multiplier, Decimal(inputs["tier_multiplier"])),
        *_unequal("multiplier", computed.multiplier, entry.multiplier),
        *_unequal("uncapped_points", computed.uncapped_points, inputs["uncapped"]),
    ]
    if inputs["cap"] in {"", PER_ACTION} or inputs.keys() & {"budgets", "used_today"}:
        return [*differences, *_unequal("points", computed.points, entry.points)]
    # Of what the other caps left nothing is recorded with older entries; that they did not add anything can be said.
    if not 0 <= entry.points < computed.points:
        differences.append(f"points are {entry.points}, which no cap makes of {computed.points}")
    if inputs["cap"] == DAILY and entry.points > config.max_daily_points:
        differences.append(f"points are {entry.points}, above the daily cap of {config.max_daily_points}")
    return differences


def _movement_steps(recorded: Recorded) -> tuple[Step, ...]:
    return tuple(
        Step(
            "lot",
            str(-lot.points),
            f"{'from' if lot.points > 0 else 'back to'} what was left of {lot.lot_id}",
        )
        for lot in recorded.lots
    )


def _movement_differences(recorded: Recorded) -> list[str]:
    """An entry that is no award moves what its lots say; what is beyond them opened a lot or made a deficit."""
    entry, taken = recorded.entry, sum(lot.points for lot in recorded.lots)
    differences = [
        *_unequal("base_points", Decimal(entry.points), entry.base_points),
        *_unequal("multiplier", ONE, entry.multiplier),
    ]
    if entry.points < 0 and taken > -entry.points:
        differences.append(f"{taken} points were taken from lots for {-entry.points}")
    if entry.points > 0 and -taken > entry.points:
        differences.append(f"{-taken} points were given back to lots for {entry.points}")
    return differences


def _unequal(what: str, computed: Decimal | int, recorded: Decimal | int) -> list[str]:
    return [] if computed == recorded else [f"{what} is {recorded} and must be {computed}"]
