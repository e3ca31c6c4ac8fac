"""`laurel import FILE.csv`: people and opening balances in bulk."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Final, NoReturn
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from laurel_server.commands.calling import NOT_NOW, REFUSED, AsJson, print_json, say_why
from laurel_server.commands.ledger_address import ledger_dsn
from laurel_server.commands.opening_file import OpeningFile, OpeningFileError, read_openings
from laurel_server.domain.clock import Clock, SandboxClock, SystemClock
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.postgres import schema, standings
from laurel_server.postgres.errors import UNAVAILABLE
from laurel_server.postgres.outbox import last_batch
from laurel_server.postgres.pool import Pool, connect_lane, create_pool
from laurel_server.rewards.ledger_batch import LedgerWriter
from laurel_server.rewards.opening import Imported, OpeningBalances
from laurel_server.rewards.rule_book import RuleBook
from laurel_server.runtime.config import Settings
from laurel_server.runtime.environment import load_settings
from laurel_server.runtime.sandbox import StoredClock

_TIMEOUT_SECONDS: Final = 60
_LOOK_SECONDS: Final = 0.2
_STANDSTILL_SECONDS: Final = 10
"""How long the boards may stand still before the command says that nobody fills them."""

_File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, metavar="FILE.csv", show_default=False)]
_Lanes = Annotated[int, typer.Option(min=1, max=16, help="Transactions at a time.")]


def import_(file: _File, lanes: _Lanes = 3, as_json: AsJson = False) -> None:
    """Load people and opening balances: columns user_id, points, and any of username, email, country, region.

    Works on the ledger at LAUREL_PG_DSN, or that of the running `laurel serve`, whose boards follow. A line counts
    once, however often its file is imported. Profiles of people who are known stay as they are.
    """
    try:
        openings = read_openings(file)
    except OpeningFileError as error:
        raise typer.BadParameter(f"{file} {error}", param_hint="FILE.csv") from None
    settings = load_settings()
    started = time.monotonic()
    try:
        imported = asyncio.run(_import(settings, ledger_dsn(settings), openings, lanes))
    except (LaurelError, schema.UnreachableError, *UNAVAILABLE) as cause:
        _break_off(cause, as_json=as_json)
    seconds = time.monotonic() - started
    rate = round(openings.lines / seconds) if seconds else 0
    if as_json:
        counts = {"lines": openings.lines, "people": imported.people, "balances": imported.balances}
        print_json({**counts, "lines_per_second": rate})
        return
    new = f"{imported.people} people and {imported.balances} balances are new"
    typer.echo(f"{openings.lines} lines: {new}, {rate} lines a second")


def _break_off(cause: BaseException, *, as_json: bool) -> NoReturn:
    what = str(cause) or type(cause).__name__
    say_why(f"not all lines are in: {what}; import the file again to go on", as_json=as_json)
    is_refused = isinstance(cause, LaurelError) and cause.reason is not Reason.LEDGER_UNAVAILABLE
    raise typer.Exit(REFUSED if is_refused else NOT_NOW) from None


async def _import(settings: Settings, dsn: str, openings: OpeningFile, lanes: int) -> Imported:
    schema.require(await schema.current_of(dsn))
    async with AsyncExitStack() as held:
        pool = await held.enter_async_context(await create_pool(dsn, 1, lanes, _TIMEOUT_SECONDS))
        clock = await _clock(settings, pool)
        zone = ZoneInfo(settings.program.time_zone)
        rule_book = RuleBook(pool, clock, Catalogue(), zone, settings.program.grace)
        await rule_book.seed()
        balances = OpeningBalances(
            pool, rule_book, LedgerWriter(rule_book, clock, tells=False), clock, openings.digest
        )
        await balances.allow()
        connections = [await connect_lane(dsn, _TIMEOUT_SECONDS) for _ in range(lanes)]
        for connection in connections:
            held.push_async_callback(connection.close)
        with _progress_bar() as bar:
            task = bar.add_task("importing", total=openings.lines)
            imported = await balances.run(
                openings.openings(), connections, lambda lines: bar.advance(task, lines)
            )
            if imported.balances:
                await _boards_follow(pool, bar)
        return imported


async def _boards_follow(pool: Pool, bar: Progress) -> None:
    """Wait until a server has taken all until now to the boards; not for one that does not run, nor for new awards."""
    until = await last_batch(pool)
    left = await standings.count_unprojected(pool, until)
    task, moved_at = bar.add_task("filling boards", total=left), time.monotonic()
    while left and time.monotonic() - moved_at < _STANDSTILL_SECONDS:
        await asyncio.sleep(_LOOK_SECONDS)
        before, left = left, await standings.count_unprojected(pool, until)
        if left != before:
            moved_at = time.monotonic()
            bar.update(task, completed=(bar.tasks[task].total or 0) - left)
    if left:
        bar.console.print("no server has filled the boards yet; one that runs does so by itself")


async def _clock(settings: Settings, pool: Pool) -> Clock:
    if not settings.sandbox.enabled:
        return SystemClock()
    clock = StoredClock(pool, SandboxClock())
    await clock.restore(settings.sandbox.now)
    return clock


def _progress_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
