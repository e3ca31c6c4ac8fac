"""Boards and ranks as tables in a terminal; plain text where the output is none."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, Protocol

from rich.console import Console
from rich.table import Table
from rich.text import Text

from laurel_client import BoardRank, BoardRef, LeaderboardEntry, Period, Tier

_TIER_STYLES: Final = {
    Tier.TIER_BRONZE: "dark_orange3",
    Tier.TIER_SILVER: "grey70",
    Tier.TIER_GOLD: "gold3",
    Tier.TIER_PLATINUM: "cyan3",
    Tier.TIER_DIAMOND: "medium_purple1",
}


class Moment(Protocol):
    """A moment of the contract."""

    seconds: int

    def ToDatetime(self) -> datetime:  # noqa: N802 - as protobuf calls it
        """Return it in UTC, without a zone."""
        ...


_WIDE: Final = 120
"""Columns of output that is no terminal."""


def open_console() -> Console:
    """Return standard output as a place for tables."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    return console


def new_table(*columns: str) -> Table:
    """Return an empty table with these columns."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def moment(at: Moment) -> str:
    """Return a moment to the second, in UTC; a dash where it is unset."""
    return f"{at.ToDatetime():%Y-%m-%d %H:%M:%S}" if at.seconds else "-"


def board_name(board: BoardRef) -> str:
    """Return what a person calls a board, such as `global weekly 2026-W48`."""
    period = Period.Name(board.period).removeprefix("PERIOD_").lower().replace("unspecified", "all_time")
    words = [
        board.scope or "global",
        period.replace("_", "-"),
        board.period_id if board.period_id != "all" else "",
    ]
    return " ".join(filter(None, words))


def tier_name(tier: Tier.ValueType) -> str:
    """Return a tier in lower case; empty for none."""
    return Tier.Name(tier).removeprefix("TIER_").lower().replace("unspecified", "")


def place(rank: int) -> str:
    """Return a rank as text; a dash where the user was not on the board."""
    return f"{rank:,}" if rank else "-"


def entries_table(
    entries: Iterable[LeaderboardEntry], *, marked: str = "", before: Mapping[str, int] | None = None
) -> Table:
    """Return the lines of a board, the one of `marked` set off; `before` has earlier ranks, to show who moved."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("rank", justify="right", no_wrap=True)
    if before is not None:
        table.add_column("", no_wrap=True)
    table.add_column("user", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("tier", no_wrap=True)
    table.add_column("", no_wrap=True)
    for entry in entries:
        moved = [] if before is None else [_movement(before.get(entry.user_id, 0), entry.rank)]
        is_marked = entry.is_current_user or entry.user_id == marked
        table.add_row(
            f"{entry.rank:,}",
            *moved,
            _who(entry),
            f"{entry.score:,}",
            Text(tier_name(entry.tier), _TIER_STYLES.get(entry.tier, "")),
            entry.country,
            style="bold reverse" if is_marked else "",
        )
    return table


def ranks_table(ranks: Iterable[BoardRank]) -> Table:
    """Return where a user stands, a line a board."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("board", no_wrap=True)
    for name in ("rank", "before", "score", "of"):
        table.add_column(name, justify="right", no_wrap=True)
    for rank in ranks:
        table.add_row(
            board_name(rank.board),
            place(rank.rank),
            place(rank.previous_rank),
            f"{rank.score:,}",
            f"{rank.total:,}",
        )
    return table


def _who(entry: LeaderboardEntry) -> str:
    return f"{entry.username} ({entry.user_id})" if entry.username else entry.user_id


def _movement(before: int, rank: int) -> Text:
    if not before:
        return Text("new", "cyan")
    if before == rank:
        return Text("")
    return Text(f"▲{before - rank}", "green") if rank < before else Text(f"▼{rank - before}", "red")
