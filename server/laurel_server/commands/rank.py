"""`laurel rank USER`: where a user stands."""

from collections.abc import Sequence
from typing import Annotated

import typer

from laurel_client import BoardRank, GetSurroundingResponse, Laurel, as_plain
from laurel_client import board as named_board
from laurel_server.commands.calling import (
    Address,
    AsJson,
    Period,
    PeriodId,
    Scope,
    Seconds,
    UserId,
    ask,
    print_json,
)
from laurel_server.commands.tables import board_name, entries_table, open_console, ranks_table
from laurel_server.domain.wording import counted

_Lines = Annotated[
    int, typer.Option("--around", "-n", min=1, max=100, help="Lines above and below the user.")
]
_Everywhere = Annotated[bool, typer.Option("--boards", help="Show his rank on every board instead.")]


def rank(
    user_id: UserId,
    scope: Scope = "global",
    period: Period = "all",
    period_id: PeriodId = "",
    lines: _Lines = 5,
    everywhere: _Everywhere = False,
    address: Address = "",
    timeout: Seconds = 10,
    as_json: AsJson = False,
) -> None:
    """Show where a user stands on a board, who is around him, and what the next rank takes."""
    board = named_board(scope, period, period_id)

    async def on_every_board(laurel: Laurel) -> Sequence[BoardRank]:
        return await laurel.leaderboards.list_user_ranks(user_id)

    async def on_one_board(laurel: Laurel) -> GetSurroundingResponse:
        return await laurel.leaderboards.get_surrounding(user_id, board, lines=lines)

    if everywhere:
        ranks = ask(on_every_board, address, as_json=as_json, seconds=timeout)
        if as_json:
            print_json({"ranks": [as_plain(each) for each in ranks]})
        else:
            open_console().print(ranks_table(ranks))
        return
    answer = ask(on_one_board, address, as_json=as_json, seconds=timeout)
    if as_json:
        print_json(as_plain(answer))
    else:
        _show(answer, user_id, board_name(board))


def _show(answer: GetSurroundingResponse, user_id: str, board: str) -> None:
    console = open_console()
    console.print(
        f"{user_id}: rank {answer.rank:,} of {answer.total_participants:,} on {board}, "
        f"{counted(answer.score, 'point')}, top {answer.top_percent:g} %",
        style="bold",
        markup=False,
        soft_wrap=True,
    )
    console.print(entries_table(answer.entries, marked=user_id))
    aims = {aim.rank: aim.points_needed for aim in (answer.next_rank, answer.next_milestone) if aim.rank}
    for aim, points in aims.items():
        console.print(f"rank {aim:,} takes {counted(points, 'more point')}")
