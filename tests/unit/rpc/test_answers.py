import time
from typing import cast

import grpc
import pytest

from laurel_server.rpc.context import CallContext
from laurel_server.rpc.interceptors import answers
from laurel_server.rpc.interceptors.answers import Answers
from laurel_server.rpc.interceptors.handler import Handler, Payload
from laurel_server.rpc.methods import LEADERBOARDS, REWARDS, Method, methods_of

METHODS = {method.name: method for service in (REWARDS, LEADERBOARDS) for method in methods_of(service)}
READ = METHODS["GetLeaderboard"]


class Servicer:
    """Counts the calls, and allows its answers for some seconds."""

    def __init__(self, seconds: float) -> None:
        self.calls: list[bytes] = []
        self.seconds = seconds

    async def __call__(self, request: Payload, call: CallContext) -> Payload:
        self.calls.append(cast("bytes", request))
        call.fresh_until = time.monotonic() + self.seconds
        return f"answer {len(self.calls)}".encode()


async def ask(handler: Handler, request: bytes = b"top", *, later: float = 0) -> Payload | None:
    """Call, as if it were so many seconds later."""
    call = CallContext(READ, cast("grpc.aio.ServicerContext[bytes, bytes]", None))
    call.started_at += later
    return await handler(request, call)


async def test_an_answer_is_given_again_while_it_is_fresh() -> None:
    handler = Answers().wrap(READ, Servicer(10))
    assert [await ask(handler), await ask(handler, later=5)] == [b"answer 1"] * 2
    assert await ask(handler, later=10.1) == b"answer 2"


async def test_another_request_has_another_answer() -> None:
    handler = Answers().wrap(READ, Servicer(10))
    assert [await ask(handler, b"a"), await ask(handler, b"b"), await ask(handler, b"a")] == [
        b"answer 1",
        b"answer 2",
        b"answer 1",
    ]


async def test_nothing_is_kept_that_is_not_allowed() -> None:
    handler = Answers().wrap(READ, Servicer(-1))
    assert [await ask(handler), await ask(handler)] == [b"answer 1", b"answer 2"]


@pytest.mark.parametrize("method", [METHODS["AwardPoints"], METHODS["WatchRank"]])
def test_only_methods_that_read_are_remembered(method: Method) -> None:
    servicer = Servicer(10)
    assert Answers().wrap(method, servicer) is servicer


async def test_an_error_is_not_kept() -> None:
    async def fail(_request: Payload, _call: CallContext) -> Payload:
        raise ValueError("no answer")

    handler = Answers().wrap(READ, fail)
    for _ in range(2):
        with pytest.raises(ValueError, match="no answer"):
            await ask(handler)


async def test_there_is_room_for_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_MAX_KEPT", 3)
    servicer = Servicer(10)
    handler = Answers().wrap(READ, servicer)
    for request in (b"a", b"b", b"c", b"a", b"d", b"d"):
        await ask(handler, request)
    assert servicer.calls == [b"a", b"b", b"c", b"d"]
    await ask(handler, b"a")
    assert servicer.calls[-1] == b"a"


async def test_what_is_out_of_date_makes_room_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_MAX_KEPT", 3)
    servicer = Servicer(10)
    handler = Answers().wrap(READ, servicer)
    await ask(handler, b"kept")
    servicer.seconds = 0.001
    for request in (b"a", b"b"):
        await ask(handler, request)
    time.sleep(0.002)  # noqa: ASYNC251 - the clock is the one of the machine
    await ask(handler, b"c")
    servicer.calls.clear()
    await ask(handler, b"kept")
    assert servicer.calls == []
