"""A shop's purchases played into a server, and what the server then says of every customer and board."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from laurel_client import ActionConfig, BoardRef, Laurel, LaurelCallError, Tier, UserRewards, board
from tests.e2e.serving import Serve
from tests.oracle.purchases import Program, Standing

_AT_ONCE = 64
_PAGE = 1000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a board."""

    standing: Standing
    tier: str
    country: str


@dataclass(frozen=True, slots=True)
class State:
    """Everything that a server says of some customers and of some boards, by scope and period id."""

    rewards: dict[str, UserRewards]
    boards: dict[tuple[str, str], list[Line]]
    ranks: dict[str, Standing]


def command(*arguments: object) -> list[str]:
    """Returns the command line of `laurel replay`."""
    return [sys.executable, "-m", "laurel_server.cli", "replay", *map(str, arguments)]


def environment() -> dict[str, str]:
    """Returns the environment without settings of Laurel."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LAUREL_")}


def replay(serve: Serve, file: Path, *options: str, exit_code: int = 0) -> dict[str, Any]:
    """Plays a file and returns the report."""
    arguments = command(file, "--address", serve.run["grpc"], "--json", *options)
    done = subprocess.run(
        arguments, env=environment(), capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == exit_code, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def open_shop(serve: Serve, at: datetime) -> None:
    """Lets a purchase give one point for each unit of money, from `at` on."""

    async def change() -> None:
        async with Laurel(serve.run["grpc"]) as laurel:
            await laurel.sandbox.set_clock(at)
            (config,) = [
                each async for each in laurel.admin.list_action_configs() if each.action == "PURCHASE"
            ]
            assert config.expires_after == "P1Y"
            changed = ActionConfig()
            changed.CopyFrom(config)
            changed.points_formula = "order_value * 1"
            await laurel.admin.put_action_config(changed, actor="shop")

    asyncio.run(change())


def state_of(serve: Serve, program: Program, at: datetime | None = None) -> State:
    """Reads everything about the customers and boards of a program; sets the clock to `at` before."""

    async def read() -> State:
        async with Laurel(serve.run["grpc"], timeout=30) as laurel:
            if at is not None:
                await laurel.sandbox.set_clock(at)
            customers = list(program.customers)
            rewards = await _limited(laurel.rewards.get_rewards(customer) for customer in customers)
            refs = list(_boards(program))
            boards = await _limited(_lines(laurel, ref) for ref in refs)
            return State(
                dict(zip(customers, rewards, strict=True)),
                {(ref.scope, ref.period_id): lines for ref, lines in zip(refs, boards, strict=True)},
                await _ranks(laurel, customers),
            )

    return asyncio.run(read())


def points_of(serve: Serve, user_id: str) -> int:
    """Returns the points ever earned; 0 for a user who is not known."""

    async def ask() -> int:
        async with Laurel(serve.run["grpc"]) as laurel:
            try:
                return (await laurel.rewards.get_rewards(user_id)).lifetime_points
            except LaurelCallError as error:
                if error.reason != "USER_NOT_FOUND":
                    raise
                return 0

    return asyncio.run(ask())


def verify(serve: Serve) -> None:
    """Lets the server compare what must be equal."""

    async def ask() -> None:
        async with Laurel(serve.run["grpc"]) as laurel:
            verdict = await laurel.admin.verify_integrity()
            assert verdict.ok, verdict

    asyncio.run(ask())


def last_week(program: Program) -> str:
    """Returns the id of the latest week in which somebody has points."""
    return max(period_id for period_id in program.period_ids if "-W" in period_id)


def _boards(program: Program) -> Iterable[BoardRef]:
    """Yields every global board, and all others for ever and of the last week."""
    for period_id in program.period_ids:
        yield _ref("global", period_id)
    countries = {f"country:{each.country}" for each in program.customers.values() if each.country}
    tiers = {f"tier:{each.tier.lower()}" for each in program.customers.values()}
    for scope in sorted(countries | tiers):
        yield _ref(scope, "all")
        yield _ref(scope, last_week(program))


def _ref(scope: str, period_id: str) -> BoardRef:
    if period_id == "all":
        return board(scope, "all", "all")
    if "-W" in period_id:
        return board(scope, "weekly", period_id)
    return board(scope, "daily" if period_id.count("-") == 2 else "monthly", period_id)


async def _lines(laurel: Laurel, ref: BoardRef) -> list[Line]:
    return [
        Line(Standing(entry.rank, entry.user_id, entry.score), Tier.Name(entry.tier), entry.country)
        async for entry in laurel.leaderboards.list_entries(ref)
    ]


async def _ranks(laurel: Laurel, customers: list[str]) -> dict[str, Standing]:
    chunks = [customers[start : start + _PAGE] for start in range(0, len(customers), _PAGE)]
    answers = await _limited(laurel.leaderboards.batch_get_ranks(chunk) for chunk in chunks)
    entries = [entry for answer in answers for entry in answer.entries]
    return {entry.user_id: Standing(entry.rank, entry.user_id, entry.score) for entry in entries}


async def _limited(work: Iterable[Awaitable[T]]) -> list[T]:
    """Awaits everything, a limited number at once; the results are in order."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(each: Awaitable[T]) -> T:
        async with places:
            return await each

    return await asyncio.gather(*map(one, work))
