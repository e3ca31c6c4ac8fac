"""`laurel top`: the best of a board."""

from typing import Annotated

import typer

from laurel_client import GetLeaderboardResponse, Laurel, as_plain
from laurel_client import board as named_board
from laurel_server.commands.calling import (
    Address,
    AsJson,
    Period,
    PeriodId,
    Scope,
    Seconds,
    ask,
    print_json,
)
from laurel_server.commands.tables import board_name, entries_table, open_console

_Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many lines.")]
_User = Annotated[str, typer.Option("--user", help="A user to show as well, wherever he stands.")]


def top(
    scope: Scope = "global",
    period: Period = "all",
    period_id: PeriodId = "",
    limit: _Limit = 10,
    user: _User = "",
    address: Address = "",
    timeout: Seconds = 10,
    as_json: AsJson = False,
) -> None:
    """Show the best of a board."""
    board = named_board(scope, period, period_id)

    async def question(laurel: Laurel) -> GetLeaderboardResponse:
        return await laurel.leaderboards.get_leaderboard(board, page_size=limit, user_id=user)

    answer = ask(question, address, as_json=as_json, seconds=timeout)
    if as_json:
        print_json(as_plain(answer))
    else:
        _show(answer, user)


def _show(answer: GetLeaderboardResponse, user: str) -> None:
    console = open_console()
    console.print(f"{board_name(answer.board)}, {answer.total_participants:,} on it", style="bold")
    if answer.entries:
        console.print(entries_table(answer.entries, marked=user))
    if answer.HasField("user_entry") and user not in {entry.user_id for entry in answer.entries}:
        console.print("...", style="dim")
        console.print(entries_table([answer.user_entry], marked=user))
    elif user and not answer.HasField("user_entry"):
        console.print(f"{user} is not on this board", style="dim", markup=False)
