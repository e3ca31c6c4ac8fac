"""A running Laurel to measure: `laurel serve` on free ports, with engines and data of its own."""

import json
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.load.unary import Target
from bench.processes import cpu_seconds, python, resident_bytes
from bench.rounds import Figures
from laurel_server.devstack.runfile import read_run_file

AWARD = "/laurel.rewards.v1.RewardsService/AwardPoints"
BATCH_AWARD = "/laurel.rewards.v1.RewardsService/BatchAwardPoints"
INGEST_AWARDS = "/laurel.rewards.v1.RewardsService/IngestAwards"
REDEEM = "/laurel.rewards.v1.RewardsService/RedeemPoints"
REVERSE = "/laurel.rewards.v1.RewardsService/ReverseTransaction"
LIST_TRANSACTIONS = "/laurel.rewards.v1.RewardsService/ListTransactions"
GET_LEADERBOARD = "/laurel.leaderboard.v1.LeaderboardService/GetLeaderboard"
GET_RANK = "/laurel.leaderboard.v1.LeaderboardService/GetRank"
GET_SURROUNDING = "/laurel.leaderboard.v1.LeaderboardService/GetSurrounding"
WATCH_RANK = "/laurel.leaderboard.v1.LeaderboardService/WatchRank"


@dataclass(frozen=True, slots=True)
class Laurel:
    """Where a running Laurel and its engines are; `pids` by the name of the process."""

    address: str
    pg_dsn: str
    redis_url: str
    pids: dict[str, int]

    def method(self, path: str) -> Target:
        """Return a method of it as a target."""
        return Target(self.address, path)

    def servers_bytes(self) -> int:
        """Return how much memory the server processes hold together."""
        return sum(resident_bytes(pid) for name, pid in self.pids.items() if name.startswith("server"))

    async def costing(self, turn: Awaitable[Figures]) -> Figures:
        """Await a turn and add what each of its calls cost the processes, in microseconds of processor time.

        On a machine that others use too these say more than the rate, which falls with what is left to us.
        """
        before = {name: cpu_seconds(pid) for name, pid in self.pids.items()}
        figures = await turn
        return figures | {
            f"{name}_us": (cpu_seconds(pid) - before[name]) / figures["calls"] * 1e6
            for name, pid in self.pids.items()
        }


@asynccontextmanager
async def serving(settings: Mapping[str, str] | None = None) -> AsyncIterator[Laurel]:
    """Start a Laurel with LAUREL_* settings beside the defaults; stops it and removes its data at the end."""
    directory = Path(tempfile.gettempdir(), f"laurel-bench-{secrets.token_hex(6)}")
    own = {"LAUREL_DATA_DIR": str(directory), "LAUREL_GRPC_PORT": "0", "LAUREL_HTTP_PORT": "0"}
    try:
        async with python(
            "-m", "laurel_server.cli", "serve", environment={**own, **(settings or {})}
        ) as ready:
            yield _found(json.loads(ready), directory / "run.json")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _found(ready: dict[str, str], file: Path) -> Laurel:
    run = read_run_file(file)
    assert run is not None, "the run file is written before the ready line"
    return Laurel(
        ready["grpc"], run.pg_dsn, run.redis_url, {process.name: process.pid for process in run.processes}
    )
