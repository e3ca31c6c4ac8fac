"""`laurel migrate`: the newest schema for a ledger."""

import asyncio
from typing import Annotated

import typer

from laurel_server.commands.calling import AsJson, print_json
from laurel_server.commands.ledger_address import ledger_dsn
from laurel_server.postgres import schema
from laurel_server.postgres.migrate import upgrade
from laurel_server.runtime.environment import load_settings

_CheckOnly = Annotated[
    bool, typer.Option("--check", help="Change nothing; exit with 1 if the schema is behind.")
]


def migrate(check: _CheckOnly = False, as_json: AsJson = False) -> None:
    """Bring the ledger at LAUREL_PG_DSN, or that of the running `laurel serve`, to the newest schema."""
    dsn = ledger_dsn(load_settings())
    before, after = asyncio.run(_check(dsn) if check else _upgrade(dsn))
    if as_json:
        print_json({"before": before, "after": after})
    elif check:
        typer.echo(f"the schema is at {after}")
    else:
        came = "was already" if before == after else f"came from {before or 'nothing'} and is now"
        typer.echo(f"the schema {came} at {after}")


async def _upgrade(dsn: str) -> tuple[str | None, str | None]:
    done = await upgrade(dsn)
    return done.before, done.after


async def _check(dsn: str) -> tuple[str | None, str | None]:
    found = await schema.current_of(dsn)
    schema.require(found)
    return found, found
