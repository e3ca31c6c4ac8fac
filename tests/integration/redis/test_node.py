import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from laurel_server.redis import node as node_module
from laurel_server.redis.errors import RedisRefused, RedisUnavailable
from laurel_server.redis.node import RedisNode
from laurel_server.redis.scripts import script
from tests.integration import engines
from tests.integration.engines import Engine
from tests.ports import free_port


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[RedisNode]:
    """A connection to the shared Redis."""
    connection = RedisNode(redis_url, 60)
    yield connection
    await connection.close()


async def test_replies_reach_those_who_asked(redis: RedisNode) -> None:
    replies = await asyncio.gather(*(redis.call("ECHO", number) for number in range(1000)))

    assert replies == [str(number).encode() for number in range(1000)]


async def test_a_caller_that_gives_up_does_not_shift_the_replies_of_others(redis: RedisNode) -> None:
    calls = [asyncio.create_task(redis.call("ECHO", number)) for number in range(100)]
    await asyncio.sleep(0)
    for call in calls[::2]:
        call.cancel()

    replies = await asyncio.gather(*calls, return_exceptions=True)

    assert replies[1::2] == [str(number).encode() for number in range(1, 100, 2)]
    assert await redis.call("ECHO", "after") == b"after"


async def test_an_error_reply_is_raised_and_the_connection_goes_on(redis: RedisNode) -> None:
    with pytest.raises(RedisRefused, match="NO-SUCH-COMMAND"):
        await redis.call("NO-SUCH-COMMAND")

    assert await redis.call("PING") == b"PONG"


async def test_a_script_that_redis_forgot_is_sent_again(redis: RedisNode) -> None:
    before = await script("places").run(redis, ("{b}", "{b}:members"), 1, 0, 0, "ann")
    await redis.call("SCRIPT", "FLUSH")

    assert await script("places").run(redis, ("{b}", "{b}:members"), 1, 0, 0, "ann") == before


async def test_a_script_on_a_key_of_another_kind_is_unavailable(redis: RedisNode) -> None:
    await redis.call("SET", "{b}", "text")

    with pytest.raises(RedisUnavailable, match="places"):
        await script("places").run(redis, ("{b}", "{b}:members"), 1, 0, 0, "ann")


async def test_nobody_there_is_unavailable_at_once() -> None:
    connection, started = RedisNode(f"redis://127.0.0.1:{free_port()}/0", 60), time.monotonic()

    refused = await asyncio.gather(*(connection.call("PING") for _ in range(20)), return_exceptions=True)

    assert {type(each) for each in refused} == {RedisUnavailable}
    assert time.monotonic() - started < 30
    await connection.close()


async def test_a_silent_redis_is_given_up_and_found_again(own_redis_engine: Engine) -> None:
    connection = RedisNode(engines.redis_url(own_redis_engine), 0.2)
    try:
        assert await _answer_of(connection) == b"PONG"
        own_redis_engine.signal(signal.SIGSTOP)

        silent = await asyncio.gather(*(connection.call("PING") for _ in range(5)), return_exceptions=True)
        assert {type(each) for each in silent} == {RedisUnavailable}
        own_redis_engine.signal(signal.SIGCONT)

        assert await _answer_of(connection) == b"PONG"
    finally:
        own_redis_engine.signal(signal.SIGCONT)
        await connection.close()


async def test_a_redis_that_was_killed_is_found_again(own_redis_engine: Engine) -> None:
    connection = RedisNode(engines.redis_url(own_redis_engine), 60)
    try:
        await connection.call("SET", "kept", "no")
        own_redis_engine.kill()
        with pytest.raises(RedisUnavailable):
            await connection.call("PING")
        own_redis_engine.start()

        assert await _answer_of(connection) == b"PONG"
        assert await connection.call("GET", "kept") is None
    finally:
        await connection.close()


async def _answer_of(connection: RedisNode) -> object:
    deadline = time.monotonic() + 60
    while True:
        try:
            return await connection.call("PING")
        except RedisUnavailable:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)


async def test_a_server_that_accepts_and_says_nothing_is_not_left_connected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(node_module, "CONNECT_SECONDS", 0.1)
    ended = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while await reader.read(1000):
                pass
        ended.set()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        connection = RedisNode(f"redis://:secret@127.0.0.1:{port}/0", 60)
        with pytest.raises(RedisUnavailable, match="cannot connect"):
            await connection.call("PING")

        await asyncio.wait_for(ended.wait(), 60)
    await connection.close()


async def test_a_connection_that_is_lost_before_it_is_used_leaves_nobody_waiting(redis_url: str) -> None:
    class Losing(RedisNode):
        async def _open(self) -> node_module._Stream:
            stream = await super()._open()
            stream.abort()
            await asyncio.sleep(0)  # the loss is told in the next turn
            return stream

    redis = Losing(redis_url, 600)
    async with asyncio.timeout(20):
        for _ in range(2):
            with pytest.raises(RedisUnavailable):
                await redis.call("PING")
    await redis.close()


async def test_connections_are_counted(own_redis_engine: Engine) -> None:
    connection = RedisNode(engines.redis_url(own_redis_engine), 60)
    try:
        await connection.call("PING")
        await connection.call("PING")
        assert connection.connections == 1

        own_redis_engine.kill()
        own_redis_engine.start()
        assert await _answer_of(connection) == b"PONG"

        assert connection.connections == 2
    finally:
        await connection.close()
