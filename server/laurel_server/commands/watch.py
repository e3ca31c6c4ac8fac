"""`laurel watch`: a board as it changes."""

import asyncio
import json
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from typing import Annotated, Final

import typer
from rich.console import Group
from rich.live import Live
from rich.text import Text

from laurel_client import BoardRef, Laurel, RankUpdate, Top, as_plain
from laurel_client import board as named_board
from laurel_server.commands.calling import (
    Address,
    AsJson,
    Period,
    PeriodId,
    Scope,
    ask,
)
from laurel_server.commands.tables import board_name, entries_table, open_console

_Lines = Annotated[int, typer.Option("--top", "-n", min=1, max=100, help="How many lines.")]
_User = Annotated[str, typer.Option("--user", help="A user whose rank is told as well, wherever he stands.")]
_Updates = Annotated[int, typer.Option("--updates", min=0, help="End after this many changes; 0: go on.")]

_NEWS: Final = 3
"""Sentences about the user that stay on the screen."""


class _Screen:
    """What is shown: the top, who moved since the last change, and the latest about one user."""

    def __init__(self, user: str) -> None:
        self._user = user
        self._top = Top()
        self._before: dict[str, int] = {}
        self._news: list[str] = []

    def show_top(self, top: Top) -> None:
        """Take over a new top."""
        earlier = self._top if self._top.board == top.board else top
        self._before = {entry.user_id: entry.rank for entry in earlier.entries}
        self._top = top

    def show_rank(self, update: RankUpdate) -> None:
        """Take over where the user stands."""
        where = f"rank {update.rank:,} of {update.total:,}" if update.rank else "not on this board"
        sentence = " - ".join(filter(None, (f"{self._user}: {where}", update.message)))
        self._news = [*self._news, f"{datetime.now():%H:%M:%S} {sentence}"][-_NEWS:]  # noqa: DTZ005 - the wall's

    def __rich__(self) -> Group:
        title = f"{board_name(self._top.board)}, {self._top.total_participants:,} on it"
        return Group(
            Text(title, "bold"),
            entries_table(self._top.entries, marked=self._user, before=self._before),
            *(Text(sentence, "dim") for sentence in self._news),
        )


def watch(
    scope: Scope = "global",
    period: Period = "all",
    period_id: PeriodId = "",
    lines: _Lines = 10,
    user: _User = "",
    updates: _Updates = 0,
    address: Address = "",
    as_json: AsJson = False,
) -> None:
    """Show a board and keep it up to date until Ctrl-C; with --json a line a change.

    It goes on by itself when the server restarts.
    """
    board = named_board(scope, period, period_id)

    async def question(laurel: Laurel) -> None:
        await laurel.leaderboards.get_leaderboard(
            board, page_size=1
        )  # a watch would wait for a server that is away
        await _Session(laurel, board, user, updates).run(lines, as_json=as_json)

    ask(question, address, as_json=as_json)


class _Session:
    """One run of the command: ends with the `updates`-th change, if that is not 0."""

    def __init__(self, laurel: Laurel, board: BoardRef, user: str, updates: int) -> None:
        self._laurel = laurel
        self._board = board
        self._user = user
        self._left = updates
        self._screen = _Screen(user)
        self._ended = asyncio.Event()

    async def run(self, lines: int, *, as_json: bool) -> None:
        """Show both streams until the end."""
        console = open_console()
        live = Live(self._screen, console=console, auto_refresh=False) if console.is_terminal else None

        def redraw() -> None:
            if live is not None:
                live.update(self._screen, refresh=True)
            else:
                console.print(self._screen)

        with live if live is not None and not as_json else nullcontext():
            show = None if as_json else redraw
            followers = [asyncio.create_task(self._follow_top(lines, show))]
            if self._user:
                followers.append(asyncio.create_task(self._follow_rank(show)))
            await self._until_the_end(followers)

    async def _until_the_end(self, followers: list[asyncio.Task[None]]) -> None:
        ended = asyncio.create_task(self._ended.wait())
        try:
            done, _ = await asyncio.wait([ended, *followers], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (ended, *followers):
                task.cancel()
            await asyncio.gather(ended, *followers, return_exceptions=True)

    async def _follow_top(self, lines: int, show: Callable[[], None] | None) -> None:
        async for top in self._laurel.leaderboards.watch_leaderboard(self._board, top_n=lines):
            if show is None:
                _print_line({"top": _plain_top(top)})
            else:
                self._screen.show_top(top)
                show()
            self._count()

    async def _follow_rank(self, show: Callable[[], None] | None) -> None:
        async for update in self._laurel.leaderboards.watch_rank(self._user, self._board):
            if show is None:
                _print_line({"rank": as_plain(update)})
            else:
                self._screen.show_rank(update)
                show()
            self._count()

    def _count(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._ended.set()


def _plain_top(top: Top) -> dict[str, object]:
    return {
        "board": as_plain(top.board),
        "total_participants": str(top.total_participants),
        "entries": [as_plain(entry) for entry in top.entries],
    }


def _print_line(content: object) -> None:
    typer.echo(json.dumps(content, ensure_ascii=False))
