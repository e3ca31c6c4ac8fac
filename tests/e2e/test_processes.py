"""Several server processes on one port: who gets the connections, and whether they agree."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from laurel_client import ActionConfig, BoardConfig, BoardKind, Laurel, User, award, board
from tests.e2e.conftest import StartServe
from tests.e2e.guests import visited
from tests.e2e.serving import Serve

CONNECTIONS = 64
"""So many that all of them end at one of two processes once in 2^63 runs."""


@pytest.fixture(scope="module")
def serve(start_shared: StartServe) -> Serve:
    """Two processes, which are left without people by each test."""
    return start_shared(LAUREL_GRPC_PROCESSES="2")


async def port_behind(serve: Serve) -> str:
    """Returns the own port of the process that a new connection to the shared one ends at."""
    async with Laurel(serve.run["grpc"], timeout=30) as client:
        return (await client.admin.get_server_info()).config["grpc.port"]


async def own_ports(serve: Serve) -> set[str]:
    """Returns the own ports of both processes, or of those that connections were found to end at.

    While another client is connected to the shared port, new ones would use its connection.
    """
    found: set[str] = set()
    for _ in range(CONNECTIONS):
        found.add(await port_behind(serve))
        if len(found) == 2:
            break
    return found


@pytest.fixture
async def pair(serve: Serve) -> AsyncIterator[tuple[Laurel, Laurel]]:
    """A client of each process alone."""
    ports = await own_ports(serve)
    async with visited(serve), AsyncExitStack() as held:
        one, other = [
            await held.enter_async_context(Laurel(f"127.0.0.1:{port}", timeout=30)) for port in ports
        ]
        yield one, other


async def test_connections_are_dealt_out_to_all(serve: Serve) -> None:
    assert len(await own_ports(serve)) == 2


async def test_the_other_process_takes_the_calls_of_one_that_dies(serve: Serve) -> None:
    before = serve.pids
    for name in ("server", "server-2"):
        async with visited(serve) as client:
            await client.rewards.award_points("ada", "REVIEW", request_id=name)
            os.kill(before[name], signal.SIGKILL)
            assert (await client.rewards.award_points("ada", "REVIEW", request_id=name)).replayed
        async with asyncio.timeout(60):
            while serve.pids[name] == before[name] or len(await own_ports(serve)) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # nothing tells of it


async def test_what_one_process_is_told_the_other_knows(pair: tuple[Laurel, Laurel]) -> None:
    one, other = pair
    await one.admin.put_action_config(ActionConfig(action="WAVE", base_points="7", active=True))
    assert (await other.rewards.award_points("ada", "WAVE", request_id="r-2")).transaction.points == 7
    assert (await one.rewards.award_points("ada", "WAVE", request_id="r-2")).replayed
    assert (await one.rewards.get_rewards("ada")).total_points == 7
    assert (await one.leaderboards.get_rank("ada")).rank.score == 7


async def test_a_new_board_is_there_in_every_process(pair: tuple[Laurel, Laurel]) -> None:
    one, other = pair
    arena = BoardConfig(board_id="arena", kind=BoardKind.BOARD_KIND_SCORES, display_name="Arena")
    await one.admin.create_board(arena)
    assert (await other.leaderboards.update_score("arena", "ada", 70)).updated
    await one.admin.create_board(BoardConfig(board_id="duel", kind=BoardKind.BOARD_KIND_SCORES))
    assert await page(other, "duel") == []
    await other.leaderboards.update_score("duel", "bob", 5)
    assert await page(one, "duel") == [("bob", 5)]
    await one.admin.delete_board("duel")


async def page(client: Laurel, board_id: str) -> list[tuple[str, int]]:
    top = await client.leaderboards.get_leaderboard(board(board_id))
    return [(entry.user_id, entry.score) for entry in top.entries]


async def test_a_watch_at_one_process_sees_what_the_other_does(pair: tuple[Laurel, Laurel]) -> None:
    one, other = pair
    await one.admin.upsert_user(User(user_id="ada", username="Ada"))
    await one.rewards.batch_award_points([award("ada", "REVIEW"), award("bob", "REVIEW")])
    async with asyncio.timeout(60), one.leaderboards.watch_leaderboard(top_n=2) as tops:
        assert [entry.user_id for entry in (await anext(tops)).entries] == ["ada", "bob"]
        await other.rewards.award_points("bob", "REVIEW")
        await other.admin.upsert_user(User(user_id="ada", username="Countess"))
        async for top in tops:
            if [entry.username for entry in top.entries][1:] == ["Countess"]:
                break
    assert [entry.user_id for entry in top.entries] == ["bob", "ada"]
