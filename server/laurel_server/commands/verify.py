"""`laurel verify`: the ledger, its hash chain and the boards compared with each other, beside the server."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from laurel_server.commands.calling import NOT_NOW, AsJson, say_why
from laurel_server.commands.ledger_address import ledger_dsn, running_stack
from laurel_server.devstack.errors import DevstackError
from laurel_server.domain.clock import SystemClock
from laurel_server.domain.errors import LaurelError
from laurel_server.domain.views import Check
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.postgres import schema
from laurel_server.postgres.chain import NO_SEAL, Seal, last_seal
from laurel_server.postgres.errors import UNAVAILABLE
from laurel_server.postgres.pool import create_pool
from laurel_server.redis.connection import connection
from laurel_server.rewards.findings import Progress as Compared
from laurel_server.rewards.rule_book import RuleBook
from laurel_server.rewards.verify_chain import verify_kept
from laurel_server.runtime.config import Settings
from laurel_server.runtime.environment import load_settings
from laurel_server.runtime.verifying import verify as compare

_BROKEN: Final = 1
_STATEMENT_SECONDS: Final = 60


class Scope(StrEnum):
    """What is compared."""

    ALL = "all"
    LEDGER = "ledger"
    CHAIN = "chain"
    BOARDS = "boards"


_Scope = Annotated[Scope, typer.Option(help="What to compare.")]
_Kept = Annotated[
    str,
    typer.Option(
        "--seal",
        metavar="BATCH:SEAL",
        help="A seal that an earlier run showed: also check that the chain still leads to it.",
    ),
]


def verify(scope: _Scope = Scope.ALL, seal: _Kept = "", as_json: AsJson = False) -> None:
    """Compare balances, entries, lots, the hash chain and the boards with each other, while the service goes on.

    Works on the engines themselves: those of LAUREL_PG_DSN and LAUREL_REDIS_URL, or of the running `laurel serve`.
    Ends with 1 if anything differs, with 3 if it could not be compared now.
    """
    kept = _read_seal(seal) if seal else None
    settings = load_settings()
    try:
        checks, newest = asyncio.run(_verify(settings, "" if scope is Scope.ALL else scope.value, kept))
    except (LaurelError, schema.UnreachableError, *UNAVAILABLE) as away:
        say_why(f"not compared: {str(away) or type(away).__name__}", as_json=as_json)
        raise typer.Exit(NOT_NOW) from None
    typer.echo(_as_json(checks, newest) if as_json else _as_text(checks, newest))
    raise typer.Exit(0 if all(check.ok for check in checks) else _BROKEN)


def _read_seal(text: str) -> Seal:
    """Return a seal in the form in which it is shown, with or without commas in the number."""
    batch, _, seal = text.replace(",", "").replace(" ", "").partition(":")
    with suppress(ValueError):
        read = Seal(int(batch), bytes.fromhex(seal))
        if len(read.seal) == len(NO_SEAL.seal):
            return read
    hint = "must be the number of a batch and its seal, such as 81920:5f0c...e1"
    raise typer.BadParameter(hint, param_hint="--seal")


async def _verify(settings: Settings, scope: str, kept: Seal | None) -> tuple[Sequence[Check], Seal]:
    dsn = ledger_dsn(settings)
    schema.require(await schema.current_of(dsn))
    pool = await create_pool(dsn, 1, 2, _STATEMENT_SECONDS)
    boards = settings.boards
    redis = connection(_redis_url(settings), boards.read_timeout_ms / 1000, cluster=boards.redis_cluster)
    catalogue = Catalogue()
    program = settings.program
    rules = RuleBook(pool, SystemClock(), catalogue, ZoneInfo(program.time_zone), program.grace)
    try:
        await rules.current()  # puts the boards there are into the catalogue
        with _bars() as progress:
            checks = [*await compare(pool, redis, catalogue, scope, progress)]
        if kept is not None:
            checks.append(await verify_kept(pool, kept))
        return checks, await last_seal(pool)
    finally:
        await redis.close()
        await pool.close()


def _redis_url(settings: Settings) -> str:
    if settings.boards.redis_url is not None:
        return settings.boards.redis_url.get_secret_value()
    stack = running_stack(settings)
    if stack is None:
        raise DevstackError("no boards: set LAUREL_REDIS_URL beside LAUREL_PG_DSN")
    return stack.redis_url


@contextmanager
def _bars() -> Iterator[Compared]:
    """Show a bar for each part on standard error if that is a terminal; yields what moves them on."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<8}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        async def advance(part: str, more: int, total: int) -> None:
            if part not in tasks:
                tasks[part] = bars.add_task(part, total=total)
            bars.advance(tasks[part], more)

        yield advance


def _as_json(checks: Sequence[Check], seal: Seal) -> str:
    report = {
        "ok": all(check.ok for check in checks),
        "checks": [_plain(check) for check in checks],
        "sealed": {"batch": seal.batch_no, "seal": seal.seal.hex()},
    }
    return msgspec.json.format(msgspec.json.encode(report)).decode()


def _plain(check: Check) -> dict[str, object]:
    """Return a check as VerifyIntegrity has it in JSON: 64-bit numbers are strings there."""
    counts = {"checked": str(check.checked), "mismatches": str(check.mismatches)}
    return {**asdict(check), **counts}


def _as_text(checks: Sequence[Check], seal: Seal) -> str:
    lines = [_line(check) for check in checks]
    lines.append(f"sealed up to batch {seal.batch_no:,}: {seal.seal.hex()}")
    return "\n".join(lines)


def _line(check: Check) -> str:
    if check.ok:
        return f"ok    {check.name:<30} {check.checked:,}"
    return f"FAIL  {check.name:<30} {check.mismatches:,} of {check.checked:,}\n      {check.detail}"
