"""The worked example of docs/explanation/how-points-flow.md is what the ledger does."""

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

from laurel_server.domain.commands import ChangeAnswer
from laurel_server.domain.reversals import ReversalPolicy
from laurel_server.runtime.wiring import Parts
from tests.integration.spend import cancel, capture, hold, redeem, reverse
from tests.integration.wired import START, gift, give, wrongs

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "how-points-flow.md"


def rows() -> Iterator[tuple[int, str, list[int]]]:
    """Yield day, step and balances of every line of the table."""
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and cells[0].isdigit():
            yield int(cells[0]), cells[1], [int(cell) for cell in cells[2:]]


class Example:
    """Plays the steps, known by how they begin."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._ids: dict[str, int] = {}
        self._last: ChangeAnswer | None = None

    async def play(self, step: str) -> None:  # noqa: C901, PLR0912 - a case a step
        parts = self._parts
        match step.split(":", maxsplit=1)[0]:
            case "award A" | "award B" | "award C" as award:
                points = int(step.split()[2])
                answer = await give(parts, "ann", points, action=f"GIVE_{award[-1]}")
                self._ids[award[-1]] = answer.entry.transaction_id
            case "hold 40":
                self._last = await hold(parts, "ann", 40)
            case "capture 25 of the hold":
                assert self._last is not None
                await capture(parts, self._last, 25)
            case "redeem 90" | "redeem 40" as redemption:
                self._last = await redeem(parts, "ann", int(redemption.split()[1]))
            case "cancel the redemption":
                assert self._last is not None
                await cancel(parts, self._last)
            case "reverse a third of B":
                await reverse(parts, self._ids["B"], part=Fraction(1, 3))
            case "reverse the rest of B":
                await reverse(parts, self._ids["B"])
            case "reverse the rest of B into a deficit":
                await reverse(parts, self._ids["B"], policy=ReversalPolicy.ALLOW_NEGATIVE)
            case "the job expire_points":
                await parts.expiry.run()
            case "the return window of B ends" | "the time of A is over":
                pass
            case unknown:
                raise AssertionError(unknown)


async def test_the_numbers_of_the_page_are_those_of_the_ledger(parts: Parts) -> None:
    assert parts.clock is not None
    for config in (
        gift("GIVE_A", expires_after="P30D"),
        gift("GIVE_B", pending_for=timedelta(days=14)),
        gift("GIVE_C"),
    ):
        await parts.rule_book.put_action(config, "tests")
    example, steps = Example(parts), list(rows())
    assert len(steps) == 14
    for day, step, expected in steps:
        await parts.clock.set(START + timedelta(days=day))
        await example.play(step)
        rewards = await parts.statement.rewards("ann")
        found = [
            rewards.total_points,
            rewards.held_points,
            rewards.pending_points,
            rewards.lifetime_points,
            rewards.redeemed_points,
            rewards.expired_points,
        ]
        assert found == expected, step
    assert await wrongs(parts) == []
