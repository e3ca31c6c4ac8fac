"""`laurel rebuild`: boards filled from the ledger anew."""

from typing import Annotated, Final

import typer

from laurel_client import Laurel, RebuildBoardsResponse, as_plain
from laurel_client import board as named_board
from laurel_server.commands.calling import (
    Address,
    AsJson,
    Period,
    PeriodId,
    ask,
    print_json,
)

_Scope = Annotated[
    str,
    typer.Argument(metavar="SCOPE", help="The board, such as global or country:US; default: all boards."),
]
_LONGEST: Final = 960.0
"""Seconds; the server gives up after 900."""


def rebuild(
    scope: _Scope = "",
    period: Period = "all",
    period_id: PeriodId = "",
    address: Address = "",
    as_json: AsJson = False,
) -> None:
    """Fill boards from the ledger anew. Awards go on meanwhile; it waits for the end, up to 15 minutes."""
    board = named_board(scope, period, period_id) if scope else None

    async def question(laurel: Laurel) -> RebuildBoardsResponse:
        return await laurel.admin.rebuild_boards(board)

    answer = ask(question, address, as_json=as_json, seconds=_LONGEST)
    if as_json:
        print_json(as_plain(answer))
    else:
        seconds = answer.took.ToTimedelta().total_seconds()
        typer.echo(f"rebuilt {answer.boards:,} boards with {answer.members:,} members in {seconds:.1f} s")
