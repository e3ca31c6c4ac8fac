"""When commands go out on the shared connection."""

import asyncio
from typing import cast

import pytest

from laurel_server.redis.node import HELD_BYTES, HELD_SECONDS, MOST_AT_ONCE, QUIET_TURNS, _Stream


class Wire:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.writes.append(data)


class Clock:
    """What the event loop goes by: it stands still unless a test moves it on."""

    now = 1000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
async def wire() -> Wire:
    return Wire()


@pytest.fixture(autouse=True)
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", clock.time)
    return clock


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


async def test_a_lone_command_goes_out_in_the_next_turn(stream: _Stream, wire: Wire) -> None:
    for command in (b"a", b"b", b"c"):
        _ = stream.send(command)
        await asyncio.sleep(0)
    assert wire.writes == [b"a", b"b", b"c"]


async def test_after_company_commands_wait_until_no_more_come(stream: _Stream, wire: Wire) -> None:
    await _send_in_company(stream)
    _ = stream.send(b"c")
    await _turns(QUIET_TURNS)
    _ = stream.send(b"d")
    await _turns(QUIET_TURNS)
    assert wire.writes == [b"ab"], "d came just in time, and has had too few quiet turns"
    await _turns(1)
    assert wire.writes == [b"ab", b"cd"]


async def test_who_is_alone_again_waits_no_longer(stream: _Stream, wire: Wire) -> None:
    await _send_in_company(stream)
    _ = stream.send(b"c")
    await _turns(QUIET_TURNS + 1)
    assert wire.writes == [b"ab", b"c"]
    _ = stream.send(b"d")
    await _turns(1)
    assert wire.writes == [b"ab", b"c", b"d"]


async def test_who_is_woken_by_a_reply_may_join_the_next_write(stream: _Stream, wire: Wire) -> None:
    async def ask_twice() -> None:
        await stream.send(b"a")
        await stream.send(b"c")

    asking = asyncio.create_task(ask_twice())
    await _turns(2)
    _ = stream.send(b"b")
    await _turns(1)
    _ = stream.send(b"d")
    _ = stream.send(b"e")
    await _turns(1)
    _ = stream.send(b"f")
    stream.data_received(b":1\r\n")
    await _turns(QUIET_TURNS + 2)
    assert wire.writes[:3] == [b"a", b"b", b"de"]
    assert sorted(wire.writes[3]) == sorted(b"cf")
    asking.cancel()


async def test_many_do_not_wait_for_more(stream: _Stream, wire: Wire) -> None:
    await _send_in_company(stream)
    for _ in range(MOST_AT_ONCE):
        _ = stream.send(b"c")
        await _turns(1)
    assert wire.writes == [b"ab", b"c" * MOST_AT_ONCE]


async def test_much_goes_out_at_once(stream: _Stream, wire: Wire) -> None:
    await _send_in_company(stream)
    _ = stream.send(b"c" * HELD_BYTES)
    await _turns(1)
    assert wire.writes == [b"ab", b"c" * HELD_BYTES]


async def test_nobody_waits_long_while_others_come_one_by_one(
    stream: _Stream, wire: Wire, clock: Clock
) -> None:
    await _send_in_company(stream)
    _ = stream.send(b"c")
    for _ in range(5):  # turns in which much is done
        clock.now += HELD_SECONDS / 6
        await _turns(1)
        _ = stream.send(b"d")
    assert wire.writes == [b"ab"]
    clock.now += HELD_SECONDS / 6 + 0.0001
    await _turns(1)
    assert wire.writes == [b"ab", b"cddddd"]
    _ = stream.send(b"e")
    await _turns(QUIET_TURNS)
    assert wire.writes == [b"ab", b"cddddd"], "the next ones have as long again"


async def _send_in_company(stream: _Stream) -> None:
    _ = stream.send(b"a")
    _ = stream.send(b"b")
    await _turns(1)


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)
