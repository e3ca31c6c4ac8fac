"""The numbers in docs/explanation/boards.md are those of a server."""

import re
from ast import literal_eval
from pathlib import Path

import pytest

from laurel_server.domain.board_configs import ScoreOperator
from laurel_server.domain.boards import Visibility
from laurel_server.domain.ledger import User
from laurel_server.runtime.wiring import Parts
from tests.integration.leaderboards.scoring import board, lines, report, see
from tests.integration.wired import give, listed

PAGE = (Path(__file__).parents[3] / "docs" / "explanation" / "boards.md").read_text()


def table(first_header: str, columns: int) -> list[list[str]]:
    """Return the header and the rows of the table whose first column has that name and that has so many columns."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines()]
    start = rows.index(next(row for row in rows if row[0] == first_header and len(row) == columns))
    end = next(at for at in range(start, len(rows)) if len(rows[at]) != columns)
    return [rows[start], *rows[start + 2 : end]]


def standings(cell: str) -> list[tuple[str, int]]:
    """Return what a cell such as `bob 4500, ann 4000` lists."""
    return [(name, int(score)) for name, score in re.findall(r"(\w+) (-?\d+)", cell)]


async def take(parts: Parts, step: str) -> None:
    """Do what the first cell of a row says."""
    words = step.split()
    match words:
        case [name, country, "earns", points]:
            await parts.profiles.upsert([User(name, country=country.strip("()"))])
            await give(parts, name, int(points))
        case [name, "earns", points]:
            await give(parts, name, int(points))
        case [name, "moves", "to", country]:
            await parts.profiles.upsert([User(name, country=country)])
        case [name, "is", "hidden" | "shown" as seen]:
            await see(parts, name, Visibility.HIDDEN if seen == "hidden" else Visibility.PUBLIC)
        case _:
            raise AssertionError(f"the page has another step: {step}")


async def test_moves(parts: Parts) -> None:
    header, *rows = table("step", 6)
    assert len(rows) == 7
    for step, *cells in rows:
        await take(parts, step)
        for scope, cell in zip(header[1:], cells, strict=True):
            assert await listed(parts, scope) == standings(cell), (step, scope)


@pytest.mark.parametrize("operator", ScoreOperator)
async def test_operators(parts: Parts, operator: ScoreOperator) -> None:
    header, *rows = table("reported", 4)
    assert len(rows) == 5
    await board(parts, operator=operator)
    for row in rows:
        new, expected = (literal_eval(row[at]) for at in (0, header.index(operator.name)))
        await report(parts, "ann", *new)
        assert await lines(parts) == [(1, "ann", *expected)]


async def test_a_size_cap(parts: Parts) -> None:
    _, *rows = table("reported", 2)
    assert len(rows) == 6
    await board(parts, operator=ScoreOperator.LAST, max_entries=2)
    for reported, cell in rows:
        ((user_id, score),) = standings(reported)
        await report(parts, user_id, score)
        assert [(line[1], line[2]) for line in await lines(parts)] == standings(cell), reported
