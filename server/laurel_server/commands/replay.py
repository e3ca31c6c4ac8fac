"""`laurel replay FILE.csv`: plays events of the past, such as purchases, as awards."""

import asyncio
import json
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from laurel_client import Laurel
from laurel_client.replay import Event, Replay, Tally
from laurel_server.commands.calling import Address, AsJson, own_token, running_address
from laurel_server.commands.event_file import Columns, EventFileError, read_events

_SECONDS_A_CALL: Final = 30
_STOPPED: Final = 130
"""What a shell expects of a program that Ctrl-C has ended."""

_File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, metavar="FILE.csv", show_default=False)]
_Action = Annotated[str, typer.Option(help="The action to award.")]
_Attribute = Annotated[str, typer.Option(help="The attribute of the action's formula that gets the amount.")]
_Id = Annotated[str, typer.Option(help="Column of the event's id; empty: events are known by what they say.")]
_User = Annotated[str, typer.Option(help="Column of the user's id.")]
_Time = Annotated[str, typer.Option(help="Column of the time, UTC or with an offset; empty: now.")]
_Amount = Annotated[str, typer.Option(help="Column of the amount; empty: none.")]
_Country = Annotated[
    str, typer.Option(help="Column of the user's country, to which his profile is set first; empty: none.")
]
_KindColumn = Annotated[str, typer.Option(help="Column of the kind; empty: every row is played.")]
_Kind = Annotated[str, typer.Option(help="The kind of row to play; other rows are skipped.")]
_CancelKind = Annotated[
    str, typer.Option(help="The kind of row that cancels: refunds what the user bought last; empty: none.")
]
# A server commits up to 256 awards at a time; more in a call would be no faster.
_Batch = Annotated[int, typer.Option(min=1, max=256, help="Most awards in one call.")]
_Concurrency = Annotated[int, typer.Option(min=1, max=64, help="Calls at once; with --advance-clock one.")]
_AdvanceClock = Annotated[
    bool, typer.Option("--advance-clock", help="Move the test clock along with the events, by their time.")
]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What there is to report."""

    tally: Tally
    events: int
    skipped: int
    seconds: float
    was_stopped: bool

    @property
    def rate(self) -> int:
        """Events a second."""
        return round(self.tally.played / self.seconds) if self.seconds else 0

    @property
    def exit_code(self) -> int:
        """0 if every event was awarded, had been before, or was refused by a rule."""
        if self.was_stopped:
            return _STOPPED
        return 1 if self.tally.failed or self.tally.broken_off_by else 0


def replay(  # noqa: PLR0913, PLR0917 - an option is a parameter
    file: _File,
    action: _Action = "PURCHASE",
    attribute: _Attribute = "order_value",
    id_column: _Id = "invoice_no",
    user_column: _User = "customer_id",
    time_column: _Time = "invoiced_at",
    amount_column: _Amount = "amount",
    country_column: _Country = "country",
    kind_column: _KindColumn = "kind",
    kind: _Kind = "PURCHASE",
    cancel_kind: _CancelKind = "CANCELLATION",
    batch: _Batch = 64,
    concurrency: _Concurrency = 4,
    advance_clock: _AdvanceClock = False,
    address: Address = "",
    as_json: AsJson = False,
) -> None:
    """Play the rows of a CSV file as awards and reversals; playing it again changes nothing.

    Ends with 1 if anything failed other than by a rule of the program, such as a cap.
    """
    if advance_clock and not time_column:
        raise typer.BadParameter("--advance-clock needs a --time-column")
    columns = Columns(id_column, user_column, time_column, amount_column, country_column, kind_column)
    try:
        events, skipped = read_events(file, columns, kind, cancel_kind)
    except EventFileError as error:
        raise typer.BadParameter(f"{file} {error}", param_hint="FILE.csv") from None
    make = partial(
        Replay,
        action=action,
        attribute=attribute,
        batch=batch,
        concurrency=concurrency,
        advance_clock=advance_clock,
    )
    outcome = asyncio.run(_play(events, skipped, address or running_address(), make))
    typer.echo(_as_json(outcome) if as_json else _as_text(outcome))
    raise typer.Exit(outcome.exit_code)


async def _play(events: Sequence[Event], skipped: int, address: str, make: Callable[..., Replay]) -> _Outcome:
    """Play the events to their end or to the first Ctrl-C; a second one does not wait for calls in progress."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    with _progress_bar(len(events)) as progress:
        async with Laurel(address, token=own_token(), timeout=_SECONDS_A_CALL) as laurel:
            replay = make(laurel, progress=progress)

            def stop() -> None:
                loop.remove_signal_handler(signal.SIGINT)
                stopped.set()
                replay.stop()

            loop.add_signal_handler(signal.SIGINT, stop)
            started = time.monotonic()
            tally = await replay.run(events)
    return _Outcome(tally, len(events), skipped, time.monotonic() - started, stopped.is_set())


@contextmanager
def _progress_bar(total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on standard error if that is a terminal; yields what moves it on."""
    console = Console(stderr=True)
    columns = (TextColumn("awards"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("awards", total=total)
        yield partial(bar.advance, task)


def _as_json(outcome: _Outcome) -> str:
    tally = outcome.tally
    return json.dumps(
        {
            "events": outcome.events,
            "skipped": outcome.skipped,
            "awarded": tally.awarded,
            "reversed": tally.reversed,
            "replayed": tally.replayed,
            "refused": tally.refused,
            "failed": tally.failed,
            "not_played": outcome.events - tally.played,
            "points": tally.points,
            "points_reversed": tally.points_reversed,
            "seconds": round(outcome.seconds, 3),
            "events_per_second": outcome.rate,
            "broken_off_by": str(tally.broken_off_by) if tally.broken_off_by else None,
        }
    )


def _as_text(outcome: _Outcome) -> str:
    tally = outcome.tally
    lines = [
        f"played    {tally.played:,} of {outcome.events:,} events in {outcome.seconds:.1f} s, {outcome.rate:,}/s",
        f"skipped   {outcome.skipped:,} rows of other kinds",
        f"awarded   {tally.awarded:,}, {tally.points:,} points",
        f"reversed  {tally.reversed:,}, {tally.points_reversed:,} points",
        f"replayed  {tally.replayed:,}, awarded or reversed before",
        *(f"refused   {count:,} {reason}" for reason, count in tally.refused.most_common()),
        *(f"failed    {count:,} {reason}" for reason, count in tally.failed.most_common()),
    ]
    if not tally.awarded and not tally.reversed and tally.replayed:
        lines.append("nothing changed: every award had been made before")
    if tally.broken_off_by:
        lines.append(f"broken off by {tally.broken_off_by}")
    if tally.played < outcome.events:
        lines.append("play it again to go on: what was awarded is not awarded twice")
    return "\n".join(lines)
