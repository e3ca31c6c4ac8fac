"""`laurel migrate`: the newest schema for a ledger."""

import asyncio
from typing import Annotated

import typer

from laurel_server.commands.ledger_address import ledger_dsn
from laurel_server.postgres import schema
from laurel_server.postgres.migrate import upgrade
from laurel_server.runtime.environment import load_settings

_CheckOnly = Annotated[
    bool, typer.Option("--check", help="Change nothing; exit with 1 if the schema is behind.")
]


def migrate(check: _CheckOnly = False) -> None:
    """Bring the ledger at LAUREL_PG_DSN, or that of the running `laurel serve`, to the newest schema."""
    dsn = ledger_dsn(load_settings())
    if check:
        asyncio.run(_check(dsn))
        return
    done = asyncio.run(upgrade(dsn))
    came = "was already" if done.before == done.after else f"came from {done.before or 'nothing'} and is now"
    typer.echo(f"the schema {came} at {done.after}")


async def _check(dsn: str) -> None:
    schema.require(await schema.current_of(dsn))
    typer.echo(f"the schema is at {schema.head()}")
