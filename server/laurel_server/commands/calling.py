"""What the commands that call a server share: where it is, who calls, and what to say when it refuses."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from typing import Annotated, Final, NoReturn, TypeVar

import typer

from laurel_client import Laurel, LaurelCallError, PeriodName, error_as_plain
from laurel_server.commands.advice import advice_on
from laurel_server.commands.ledger_address import running_stack
from laurel_server.runtime.environment import load_settings

REFUSED: Final = 1
"""The exit code when the server said no."""

NOT_NOW: Final = 3
"""The exit code when the same command may succeed later: no server, a busy one, boards that are being filled."""

_USUAL_ADDRESS: Final = "127.0.0.1:50051"

Address = Annotated[
    str,
    typer.Option(
        "--address",
        "--target",  # as `replay` called it first
        envvar=["LAUREL_ADDRESS", "LAUREL_TARGET"],
        metavar="HOST:PORT",
        help=f"The server; default: that of the running `laurel serve`, else {_USUAL_ADDRESS}.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Seconds = Annotated[float, typer.Option("--timeout", min=0.1, help="Longest wait for an answer, in seconds.")]
UserId = Annotated[str, typer.Argument(metavar="USER", help="The user's id.", show_default=False)]
Scope = Annotated[
    str,
    typer.Argument(
        metavar="SCOPE",
        help="The board: global, country:US, region:NAME, tier:gold, segment:NAME or the id of a score board.",
    ),
]
PeriodId = Annotated[
    str, typer.Option("--period-id", metavar="ID", help="An earlier period, such as 2026-W48; default: now.")
]
Period = Annotated[PeriodName, typer.Option("--period", "-p", help="The period of the board.")]

Answer = TypeVar("Answer")


def ask(
    question: Callable[[Laurel], Awaitable[Answer]], address: str, *, as_json: bool, seconds: float = 10
) -> Answer:
    """Connect, ask and return the answer; a refusal ends the command with what to do about it."""
    place = address or running_address()

    async def connected() -> Answer:
        async with Laurel(place, token=own_token(), timeout=seconds) as laurel:
            return await question(laurel)

    try:
        return asyncio.run(connected())
    except LaurelCallError as error:
        give_up(error, place, as_json=as_json)


def own_token() -> str:
    """Return the token that the environment has for this person; empty without one."""
    return os.environ.get("LAUREL_TOKEN", "")


def running_address() -> str:
    """Return the address of the `laurel serve` of this data directory, or the usual one."""
    stack = running_stack(load_settings())
    return stack.grpc if stack else _USUAL_ADDRESS


def give_up(error: LaurelCallError, place: str, *, as_json: bool) -> NoReturn:
    """Say why the server at `place` refused and what to do, and end the command."""
    advice = advice_on(error, place)
    if as_json:
        print_json({"error": {**error_as_plain(error), "advice": advice}})
    else:
        rules = (f"{field}: {rule}" for field, rule in error.violations)
        lines = [f"laurel: {error}", *(f"  {rule}" for rule in rules if rule not in error.message)]
        typer.echo("\n".join([*lines, *([f"  -> {advice}"] if advice else [])]), err=True)
    raise typer.Exit(NOT_NOW if error.may_pass else REFUSED)


def say_why(message: str, *, as_json: bool) -> None:
    """Say why something could not be done."""
    if as_json:
        print_json({"error": {"message": message}})
    else:
        typer.echo(f"laurel: {message}", err=True)


def print_json(content: object) -> None:
    """Print JSON over several lines, as the other commands do."""
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False))
