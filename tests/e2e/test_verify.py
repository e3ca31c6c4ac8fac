"""`laurel verify`, beside a running `laurel serve`."""

import asyncio
import json
import os
import subprocess
import sys

import asyncpg

from laurel_client import Laurel
from tests.e2e.conftest import StartServe
from tests.e2e.serving import Serve


def laurel_verify(serve: Serve, *options: str) -> subprocess.CompletedProcess[str]:
    """Runs the command on the data directory of a `laurel serve`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LAUREL_")}
    command = [sys.executable, "-m", "laurel_server.cli", "verify", *options]
    environment = {**inherited, "LAUREL_DATA_DIR": str(serve.data_dir)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


async def award(serve: Serve) -> None:
    """Awards some points."""
    async with Laurel(serve.run["grpc"]) as laurel:
        for number in range(20):
            await laurel.rewards.award_points(f"u{number}", "REVIEW")


async def tamper(serve: Serve, statement: str) -> None:
    """Writes past the server."""
    connection = await asyncpg.connect(serve.run["pg_dsn"])
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def test_a_ledger_is_verified_and_tampering_is_found(start_serve: StartServe) -> None:
    serve = start_serve()
    asyncio.run(award(serve))
    done = laurel_verify(serve)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert all(line.startswith("ok    ") for line in lines[:-1])
    assert any("balances_equal_entries" in line and line.endswith(" 20") for line in lines)
    assert lines[-1].startswith("sealed up to batch ")

    asyncio.run(tamper(serve, "UPDATE user_rewards SET balance = 1 WHERE user_no = 1"))
    done = laurel_verify(serve, "--json", "--scope", "ledger")
    report = json.loads(done.stdout)
    assert (done.returncode, report["ok"]) == (1, False)
    wrong = {check["name"]: check["detail"] for check in report["checks"] if not check["ok"]}
    assert wrong.keys() == {"balances_equal_entries", "balances_equal_lots"}
    assert wrong["balances_equal_entries"].endswith(": 1 instead of 20")
    assert len(bytes.fromhex(report["sealed"]["seal"])) == 32
    assert "FAIL  balances_equal_entries" in laurel_verify(serve, "--scope", "ledger").stdout
    assert laurel_verify(serve, "--scope", "chain").returncode == 0

    kept = "{batch}:{seal}".format(**report["sealed"])
    done = laurel_verify(serve, "--scope", "chain", "--seal", kept)
    assert (done.returncode, "ok    kept_seal_is_in_chain" in done.stdout) == (0, True)
    other = kept[:-1] + ("1" if kept.endswith("0") else "0")
    done = laurel_verify(serve, "--scope", "chain", "--seal", other)
    assert (done.returncode, "FAIL  kept_seal_is_in_chain" in done.stdout) == (1, True)
    assert "--seal" in laurel_verify(serve, "--seal", "81920").stderr

    serve.end()
    assert laurel_verify(serve).returncode == 1  # there is no ledger
