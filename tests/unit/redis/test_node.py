"""When commands go out on the shared connection."""

import asyncio
from typing import cast

import pytest

from laurel_server.redis.node import HELD_BYTES, _Stream


class Wire:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.writes.append(data)


@pytest.fixture
async def wire() -> Wire:
    return Wire()


@pytest.fixture
async def stream(wire: Wire) -> _Stream:
    stream = _Stream()
    stream.connection_made(cast("asyncio.Transport", wire))
    return stream


async def test_commands_of_one_turn_go_out_together(stream: _Stream, wire: Wire) -> None:
    replies = [stream.send(b"a"), stream.send(b"b")]
    await asyncio.sleep(0)
    assert wire.writes == [b"ab"]
    stream.data_received(b":1\r\n:2\r\n")
    assert [await reply for reply in replies] == [1, 2]


async def test_commands_wait_for_the_replies_that_are_owed(stream: _Stream, wire: Wire) -> None:
    for command in (b"a", b"b", b"c"):
        _ = stream.send(command)
        await asyncio.sleep(0)
    assert wire.writes == [b"a"]
    stream.data_received(b":1\r\n")
    await asyncio.sleep(0)
    assert wire.writes == [b"a", b"bc"]
    _ = stream.send(b"d")
    stream.data_received(b":2\r\n")
    await asyncio.sleep(0)
    assert len(wire.writes) == 2
    stream.data_received(b":3\r\n")
    await asyncio.sleep(0)
    assert wire.writes == [b"a", b"bc", b"d"]


async def test_who_is_woken_by_a_reply_may_join_the_next_write(stream: _Stream, wire: Wire) -> None:
    async def ask_twice() -> None:
        await stream.send(b"a")
        await stream.send(b"c")

    asking = asyncio.create_task(ask_twice())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    _ = stream.send(b"b")
    stream.data_received(b":1\r\n")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert wire.writes[0] == b"a"
    assert sorted(wire.writes[1]) == sorted(b"bc")
    asking.cancel()


async def test_much_goes_out_at_once(stream: _Stream, wire: Wire) -> None:
    _ = stream.send(b"a")
    await asyncio.sleep(0)
    _ = stream.send(b"b")
    _ = stream.send(b"c" * HELD_BYTES)
    await asyncio.sleep(0)
    assert wire.writes == [b"a", b"b" + b"c" * HELD_BYTES]
    stream.data_received(b":1\r\n:2\r\n")
    _ = stream.send(b"d")
    await asyncio.sleep(0)
    assert len(wire.writes) == 2, "a reply is still owed"
    stream.data_received(b":3\r\n")
    await asyncio.sleep(0)
    assert wire.writes[2:] == [b"d"]
