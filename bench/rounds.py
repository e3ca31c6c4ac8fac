"""Measuring in turn: what is compared runs A B A B within each round, so that a slow minute slows both."""

import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from statistics import mean, median

Figures = dict[str, float]
"""What a turn gave, by name: `rate` per second, `p50_ms`, ..."""

TURNS = 2
"""How often each side runs in a round."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the things compared: its turns by round."""

    rounds: list[list[Figures]] = field(default_factory=list)

    def by_round(self, name: str) -> list[float]:
        """Return one figure a round, the mean of its turns."""
        return [mean(turn[name] for turn in turns) for turns in self.rounds]

    def medians(self, prefix: str) -> Figures:
        """Return every figure's median over the rounds, under prefixed names."""
        return {f"{prefix} {name}": median(self.by_round(name)) for name in self.rounds[0][0]}


async def in_turn(rounds: int, *sides: Callable[[], Awaitable[Figures]]) -> list[Side]:
    """Run the sides in turn and return what each did."""
    measured = [Side() for _ in sides]
    for number in range(rounds):
        print(f"  round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        for side in measured:
            side.rounds.append([])
        for _ in range(TURNS):
            for side, run in zip(measured, sides, strict=True):
                side.rounds[-1].append(await run())
    return measured


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure has to reach: at least `bound`, or at most."""

    bound: float
    at_most: bool = False

    def met_by(self, figure: float) -> bool:
        """Whether the figure is good enough."""
        return figure <= self.bound if self.at_most else figure >= self.bound


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the result. `judged` is the ratio of ours to the floor, or ours where there is no floor."""

    scenario: str
    floor: str
    figure: str
    floor_figure: float | None
    our_figure: float
    judged: float
    goal: Goal
    ratios: list[float] = field(default_factory=list)
    details: Figures = field(default_factory=dict)

    @property
    def met(self) -> bool:
        """Whether the goal was reached."""
        return self.goal.met_by(self.judged)


def compared(
    name: str,
    floor: str,
    figure: str,
    sides: tuple[Side, Side],
    goal: Goal,
    *,
    floor_figure: str | None = None,
) -> Row:
    """Return the row for a figure of the floor's side and ours: the median of the ratios of the rounds."""
    floors, ours = sides[0].by_round(floor_figure or figure), sides[1].by_round(figure)
    ratios = [our / of_floor for of_floor, our in zip(floors, ours, strict=True)]
    details = sides[0].medians("floor") | sides[1].medians("ours")
    return Row(name, floor, figure, median(floors), median(ours), median(ratios), goal, ratios, details)


def absolute(name: str, unit: str, figure: float, goal: Goal, details: Figures | None = None) -> Row:
    """Return the row of a figure that has a goal of its own."""
    return Row(name, "-", unit, None, figure, figure, goal, [], details or {})
