"""The numbers in docs/explanation/ties.md are those that the rules give."""

from pathlib import Path

import pytest

from laurel_server.domain.boards import TiePolicy, Traits
from laurel_server.domain.ranks import Pair, points_needed, ranks_in_list
from laurel_server.leaderboards.reading import Listed
from tests.oracle.board import BruteForceBoard, Standing

PAGE = (Path(__file__).parents[3] / "docs" / "explanation" / "ties.md").read_text(encoding="utf-8")


def table(first_header: str) -> list[dict[str, str]]:
    """Return the rows of the table whose first column has that header."""
    lines = [line.strip("|\n ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]
    start = next(at for at, cells in enumerate(lines) if cells[0] == first_header)
    header = lines[start]
    rows = []
    for cells in lines[start + 1 :]:
        if len(cells) != len(header) or cells[0] in {"place in the list", "policy"}:
            break
        rows.append(dict(zip(header, cells, strict=True)))
    return rows


LISTED = table("place in the list")
NEXT = table("policy")


@pytest.mark.parametrize("policy", TiePolicy)
def test_the_ranks(policy: TiePolicy) -> None:
    told = [int(row[policy.name]) for row in LISTED]
    lines = [Listed(row["user"], int(row["score"]), 0, int(row["score"]), row["user"]) for row in LISTED]
    assert list(ranks_in_list(lines, 0, 1, policy)) == told
    board = BruteForceBoard(Traits(policy))
    for reached, row in enumerate(LISTED, start=1):
        board.standings[row["user"]] = Standing(int(row["score"]), 0, reached)
    assert [(row.user_id, row.rank) for row in board.rows()] == [
        (row["user"], rank) for row, rank in zip(LISTED, told, strict=True)
    ]


@pytest.mark.parametrize("row", NEXT, ids=lambda row: f"{row['policy']} {row['user']}")
def test_what_the_next_rank_takes(row: dict[str, str]) -> None:
    policy = TiePolicy[row["policy"]]
    own = next(each for each in LISTED if each["user"] == row["user"])
    better = [each for each in LISTED if int(each[policy.name]) < int(own[policy.name])]
    assert int(better[-1][policy.name]) == int(row["next rank"])
    needed = points_needed(Pair(int(own["score"])), Pair(int(better[-1]["score"])), policy)
    assert needed == int(row["points needed"])


def test_the_tables_are_there() -> None:
    assert (len(LISTED), len(NEXT)) == (7, 6)
