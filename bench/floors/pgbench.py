"""The conventional transaction of one award, driven by PostgreSQL's own load generator."""

import asyncio
import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg

from laurel_server.devstack.binaries import find_postgres

CLIENTS = (8, 32)

_SQL = Path(__file__).with_name("sql")
_RATE = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)


async def make_tables(dsn: str, people: int) -> None:
    """Make the tables anew, with a balance for each user."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute((_SQL / "schema.sql").read_text())
        await connection.execute(
            "INSERT INTO bench.balances (user_id) SELECT generate_series(0, $1::bigint - 1)", people
        )
        await connection.execute("VACUUM ANALYZE bench.balances")
    finally:
        await connection.close()


async def transactions_per_second(dsn: str, people: int, clients: int, seconds: float) -> float:
    """Run the transaction from so many connections. RuntimeError if pgbench fails."""
    program = str(find_postgres(None).path.with_name("pgbench"))
    options = [
        "--no-vacuum",
        "--protocol=prepared",
        f"--client={clients}",
        "--jobs=2",
        f"--time={round(seconds)}",
    ]
    process = await asyncio.create_subprocess_exec(
        *(program, *options, f"--define=people={people}", f"--file={_SQL / 'award.sql'}"),
        env={**os.environ, **_connection_variables(dsn)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    found = _RATE.search(output.decode())
    if process.returncode or not found:
        raise RuntimeError(f"pgbench failed: {errors.decode()}")
    return float(found[1])


async def best_clients(dsn: str, people: int, seconds: float) -> int:
    """Return the number of connections with which this machine does most transactions."""
    rates = {
        clients: [await transactions_per_second(dsn, people, clients, seconds) for _ in range(2)]
        for clients in CLIENTS
    }
    return max(rates, key=lambda clients: sum(rates[clients]))


def _connection_variables(dsn: str) -> dict[str, str]:
    """Return the DSN as libpq's variables: a command line can be read by every user of the machine."""
    parts = urlsplit(dsn)
    return {
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or 5432),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": parts.path.lstrip("/"),
        "PGSSLMODE": "disable",
    }
