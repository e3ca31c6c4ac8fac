"""What commands print of boards."""

from io import StringIO

from rich.console import Console
from rich.table import Table

from laurel_client import BoardRank, LeaderboardEntry, Tier, board
from laurel_server.commands.tables import board_name, entries_table, place, ranks_table, tier_name


def printed(table: Table) -> list[str]:
    output = StringIO()
    Console(file=output, width=100).print(table)
    return [" ".join(line.split()) for line in output.getvalue().splitlines()]


def test_boards_are_named_as_people_say() -> None:
    assert board_name(board("country:US", "weekly", "2026-W48")) == "country:US weekly 2026-W48"
    assert board_name(board("global", "all", "all")) == "global all-time"
    assert board_name(board("")) == "global all-time"


def test_entries_say_who_moved() -> None:
    entries = [
        LeaderboardEntry(
            rank=1, user_id="ada", username="Ada", score=1200, tier=Tier.TIER_GOLD, country="GB"
        ),
        LeaderboardEntry(rank=2, user_id="bob", score=900),
        LeaderboardEntry(rank=3, user_id="cleo", score=800),
        LeaderboardEntry(rank=4, user_id="dan", score=7),
    ]
    lines = printed(entries_table(entries, before={"ada": 3, "bob": 1, "cleo": 3}))
    assert lines == [
        "rank user score tier",
        "1 ▲2 Ada (ada) 1,200 gold GB",
        "2 ▼1 bob 900",
        "3 cleo 800",
        "4 new dan 7",
    ]


def test_ranks_show_where_the_user_came_from() -> None:
    ranks = [
        BoardRank(board=board("global", "weekly", "2026-W48"), rank=4, previous_rank=0, score=19, total=1200)
    ]
    assert printed(ranks_table(ranks))[1] == "global weekly 2026-W48 4 - 19 1,200"


def test_nothing_has_a_word_of_its_own() -> None:
    assert place(0) == "-"
    assert tier_name(Tier.TIER_UNSPECIFIED) == ""
