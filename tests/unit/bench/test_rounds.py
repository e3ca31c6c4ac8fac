from itertools import count

import pytest

from bench.rounds import Figures, Goal, compared, in_turn


async def test_sides_run_in_turn_twice_in_each_round() -> None:
    order: list[str] = []

    async def turn(name: str) -> Figures:
        order.append(name)
        return {"rate": 1.0}

    await in_turn(2, lambda: turn("a"), lambda: turn("b"))

    assert order == ["a", "b", "a", "b"] * 2


async def test_the_ratio_is_the_median_of_the_ratios_of_the_rounds() -> None:
    floors, ours = iter([10, 10, 100, 100, 10, 10]), iter([8, 10, 20, 40, 7, 7])

    async def floor() -> Figures:
        return {"rate": float(next(floors))}

    async def our() -> Figures:
        return {"rate": float(next(ours))}

    floor_side, our_side = await in_turn(3, floor, our)
    row = compared("reads", "echo", "rate", (floor_side, our_side), Goal(0.75))

    assert row.ratios == pytest.approx([0.9, 0.3, 0.7])
    assert row.judged == pytest.approx(0.7)
    assert not row.met


async def test_a_figure_can_be_compared_with_another_of_the_same_side() -> None:
    numbers = count(1)

    async def turn() -> Figures:
        return {"p50_ms": float(next(numbers)), "p99_ms": 6.0}

    (side,) = await in_turn(1, turn)
    row = compared("half load", "p50", "p99_ms", (side, side), Goal(4, at_most=True), floor_figure="p50_ms")

    assert (row.judged, row.met) == (4.0, True)
