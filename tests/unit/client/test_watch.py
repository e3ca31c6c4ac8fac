"""Watches go on over everything that may pass, and leave no call behind."""

import asyncio
from contextlib import AsyncExitStack, suppress

import grpc
import pytest

from laurel.leaderboard.v1.leaderboard_service_pb2 import WatchLeaderboardResponse, WatchRankResponse
from laurel.leaderboard.v1.watch_pb2 import Delta, Heartbeat, Snapshot, StreamEnd
from laurel_client import Laurel, LaurelCallError, LeaderboardEntry, RankUpdate, Top, board
from laurel_client.ranks import RankWatch
from tests.ports import free_port
from tests.unit.client.standin import Refusal, Standin, Stream, Then, connected, serving

Code = grpc.StatusCode
SILENCE = Then.SILENCE


def place(sequence: int, rank: int) -> WatchRankResponse:
    return WatchRankResponse(sequence=sequence, resume_token=f"t{sequence}", update=RankUpdate(rank=rank))


def heartbeat(sequence: int) -> WatchRankResponse:
    return WatchRankResponse(sequence=sequence, resume_token=f"t{sequence}", heartbeat=Heartbeat())


def end(sequence: int, reason: str) -> WatchRankResponse:
    token = f"t{sequence}"
    return WatchRankResponse(
        sequence=sequence, resume_token=token, end=StreamEnd(reason=reason, resume_token=token)
    )


def line(user_id: str, rank: int) -> LeaderboardEntry:
    return LeaderboardEntry(user_id=user_id, rank=rank)


async def ranks(laurel: Laurel, count: int) -> list[int]:
    """Watches until it has heard that many places."""
    heard: list[int] = []
    async for update in laurel.leaderboards.watch_rank("ada"):
        heard.append(update.rank)
        if len(heard) == count:
            break
    return heard


def tokens(server: Standin) -> list[str]:
    return [request.resume_token for request in server.requests["WatchRank"]]


async def test_it_yields_changes_and_keeps_heartbeats_to_itself(laurel: Laurel, server: Standin) -> None:
    server.answer("WatchRank", [place(1, 9), heartbeat(2), place(3, 5), SILENCE])
    assert await ranks(laurel, 2) == [9, 5]


async def test_a_broken_connection_is_resumed_after_the_last_message(laurel: Laurel, server: Standin) -> None:
    server.answer("WatchRank", [place(1, 9), heartbeat(2), Refusal(Code.UNAVAILABLE)], [place(3, 5), SILENCE])
    assert await ranks(laurel, 2) == [9, 5]
    assert tokens(server) == ["", "t2"]


@pytest.mark.parametrize("reason", ["DRAINING", "READER_TOO_SLOW"])
async def test_a_stream_that_the_server_ends_is_resumed(laurel: Laurel, server: Standin, reason: str) -> None:
    server.answer("WatchRank", [place(1, 9), end(2, reason)], [place(3, 5), SILENCE])
    assert await ranks(laurel, 2) == [9, 5]
    assert tokens(server) == ["", "t2"]


async def test_a_stream_that_ends_without_a_word_is_resumed(laurel: Laurel, server: Standin) -> None:
    server.answer("WatchRank", [place(1, 9)], [place(2, 5), SILENCE])
    assert await ranks(laurel, 2) == [9, 5]
    assert tokens(server) == ["", "t1"]


async def test_a_token_that_the_server_does_not_know_is_dropped(laurel: Laurel, server: Standin) -> None:
    unknown = Refusal(Code.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID", fields={"resume_token": "is not ours"})
    server.answer("WatchRank", [place(1, 9), Refusal(Code.UNAVAILABLE)], [unknown], [place(1, 5), SILENCE])
    assert await ranks(laurel, 2) == [9, 5]
    assert tokens(server) == ["", "t1", ""]


async def test_a_watch_that_is_refused_raises(laurel: Laurel, server: Standin) -> None:
    server.answer("WatchRank", [Refusal(Code.NOT_FOUND, "BOARD_NOT_FOUND")])
    with pytest.raises(LaurelCallError) as raised:
        await ranks(laurel, 1)
    assert raised.value.reason == "BOARD_NOT_FOUND"
    assert len(tokens(server)) == 1


async def test_patience_ends(server: Standin) -> None:
    server.answer("WatchRank", [Refusal(Code.UNAVAILABLE, "BOARDS_REBUILDING")])
    async with connected(server, patience=0.3) as laurel:
        with pytest.raises(LaurelCallError) as raised:
            await ranks(laurel, 1)
    assert raised.value.reason == "BOARDS_REBUILDING"
    assert 2 <= len(tokens(server)) <= 6  # it paused between its attempts, longer each time


async def test_every_message_renews_patience(server: Standin) -> None:
    broken: Stream = [place(1, 9), Refusal(Code.UNAVAILABLE)]
    server.answer("WatchRank", *[broken] * 6, [SILENCE])
    async with connected(server, patience=0.15) as laurel:
        assert len(await ranks(laurel, 6)) == 6


async def test_a_server_that_restarts_is_found_again(server: Standin) -> None:
    server.answer("WatchRank", [place(1, 9), SILENCE], [place(2, 5), SILENCE])
    async with AsyncExitStack() as running:
        port = free_port()  # nobody else is given it while the server is away
        address = await running.enter_async_context(serving(server, port))
        async with Laurel(address) as laurel, laurel.leaderboards.watch_rank("ada") as watch:
            assert (await anext(watch)).rank == 9
            await running.aclose()
            with pytest.raises(LaurelCallError):
                await laurel.with_timeout(0.1).rewards.get_rewards("ada")
            async with serving(server, port):
                assert (await anext(watch)).rank == 5
    assert tokens(server) == ["", "t1"]


async def test_leaving_the_loop_ends_the_call(laurel: Laurel, server: Standin) -> None:
    server.answer("WatchRank", [place(1, 9), SILENCE])
    async for _ in laurel.leaderboards.watch_rank("ada"):
        break
    await server.hung_up.wait()


async def test_an_error_in_the_loop_ends_the_call(laurel: Laurel, server: Standin) -> None:
    server.answer("WatchRank", [place(1, 9), SILENCE])
    with suppress(LookupError):
        async with laurel.leaderboards.watch_rank("ada") as watch:
            async for _ in watch:
                raise LookupError
    await server.hung_up.wait()


async def test_cancelling_the_reader_ends_the_call(laurel: Laurel, server: Standin) -> None:
    server.answer("WatchRank", [place(1, 9), SILENCE])
    reader = asyncio.create_task(ranks(laurel, 2))
    await server.asked("WatchRank")
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    await server.hung_up.wait()


async def test_closing_a_watch_ends_its_loop(laurel: Laurel, server: Standin) -> None:
    server.answer("WatchRank", [place(1, 9), SILENCE])
    heard, watch = asyncio.Event(), laurel.leaderboards.watch_rank("ada")
    reader = asyncio.create_task(all_of(watch, heard))
    await heard.wait()
    watch.close()
    assert await reader == [9]
    await server.hung_up.wait()
    with pytest.raises(StopAsyncIteration):
        await anext(watch)


async def test_closing_the_client_ends_the_loop_too(laurel: Laurel, server: Standin) -> None:
    server.answer("WatchRank", [place(1, 9), SILENCE])
    heard, watch = asyncio.Event(), laurel.leaderboards.watch_rank("ada")
    reader = asyncio.create_task(all_of(watch, heard))
    await heard.wait()
    await laurel.close()
    assert await reader == [9]


async def all_of(watch: RankWatch, heard: asyncio.Event) -> list[int]:
    """Reads a watch to its end; `heard` is set with each place."""
    places = []
    async for update in watch:
        places.append(update.rank)
        heard.set()
    return places


async def test_it_can_start_from_a_token_kept_elsewhere(laurel: Laurel, server: Standin) -> None:
    server.answer("WatchRank", [place(8, 2), SILENCE])
    async with laurel.leaderboards.watch_rank("ada", board("tier:gold"), resume_token="t7") as watch:
        assert (await anext(watch)).rank == 2
        assert watch.resume_token == "t8"
    (request,) = server.requests["WatchRank"]
    assert (request.resume_token, request.boards[0].scope) == ("t7", "tier:gold")


async def test_the_top_is_always_whole(laurel: Laurel, server: Standin) -> None:
    ref = board("global", "weekly", "2026-W48")
    snapshot = Snapshot(entries=[line("a", 1), line("b", 2), line("c", 3)], total_participants=9, board=ref)
    delta = Delta(changed=[line("d", 1), line("a", 2), line("c", 3)], removed=["b"], total_participants=10)
    server.answer(
        "WatchLeaderboard",
        [
            WatchLeaderboardResponse(resume_token="t1", snapshot=snapshot),
            WatchLeaderboardResponse(resume_token="t2", delta=delta),
            Refusal(Code.UNAVAILABLE),
        ],
        # What the server says after a resumption when nothing changed, and then when something does.
        [
            WatchLeaderboardResponse(resume_token="t3", heartbeat=Heartbeat()),
            WatchLeaderboardResponse(resume_token="t4", delta=Delta(removed=["c"], total_participants=9)),
            SILENCE,
        ],
    )
    async with laurel.leaderboards.watch_leaderboard(ref, top_n=3) as tops:
        first, second, third = [await anext(tops) for _ in range(3)]
    assert names(first) == ["a", "b", "c"]
    assert names(second) == ["d", "a", "c"]
    assert names(third) == ["d", "a"]
    assert [top.total_participants for top in (first, second, third)] == [9, 10, 9]
    assert third.board == ref
    assert [request.resume_token for request in server.requests["WatchLeaderboard"]] == ["", "t2"]


def names(top: Top) -> list[str]:
    return [entry.user_id for entry in top.entries]
