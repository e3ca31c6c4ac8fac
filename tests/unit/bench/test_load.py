"""The load generator against a real gRPC server in this process."""

import asyncio
from collections.abc import AsyncIterator
from itertools import repeat
from time import perf_counter

import grpc
import pytest

from bench.load.connection import DEFAULT_WINDOW
from bench.load.streams import open_streams
from bench.load.unary import Target, closed_loop, open_loop, until

SERVICE = "test.Echo"


class Echo:
    def __init__(self) -> None:
        self.calls = 0
        self.sizes: set[int] = set()

    async def echo(self, request: bytes, context: object) -> bytes:
        del context
        self.calls += 1
        self.sizes.add(len(request))
        return request

    async def refuse(self, request: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
        del request
        await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "no")

    async def count(self, request: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> None:
        for _ in range(int(request)):
            await context.write(b"x" * 20_000)
        await asyncio.Event().wait()


@pytest.fixture
async def echo() -> AsyncIterator[tuple[Echo, str]]:
    echo = Echo()
    server = grpc.aio.server()
    methods: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        "Echo": grpc.unary_unary_rpc_method_handler(echo.echo),
        "Refuse": grpc.unary_unary_rpc_method_handler(echo.refuse),
        "Count": grpc.unary_stream_rpc_method_handler(echo.count),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield echo, f"127.0.0.1:{port}"
    await server.stop(0)


async def test_a_closed_loop_makes_calls_that_the_server_understands(echo: tuple[Echo, str]) -> None:
    server, address = echo

    figures = await closed_loop(Target(address, f"/{SERVICE}/Echo"), repeat(b"hello"), 16, 1)

    assert server.sizes == {5}
    assert 0 < figures["rate"] <= server.calls
    assert 0 < figures["p50_ms"] <= figures["p99_ms"]


async def test_requests_wait_for_room_at_the_server(echo: tuple[Echo, str]) -> None:
    server, address = echo
    request = b"x" * 16_000
    in_flight = 4 * DEFAULT_WINDOW // len(request)

    await closed_loop(Target(address, f"/{SERVICE}/Echo"), repeat(request), in_flight, 1, connections=1)

    assert server.sizes == {16_000}
    assert server.calls > in_flight


async def test_a_load_with_a_refused_call_has_no_figures(echo: tuple[Echo, str]) -> None:
    _, address = echo

    with pytest.raises(RuntimeError, match="'8': "):
        await closed_loop(Target(address, f"/{SERVICE}/Refuse"), repeat(b""), 1, 0.1)


async def test_an_open_loop_keeps_its_rate(echo: tuple[Echo, str]) -> None:
    server, address = echo

    started = perf_counter()
    await open_loop(Target(address, f"/{SERVICE}/Echo"), repeat(b""), rate=200, seconds=0.5)
    took = perf_counter() - started

    assert 100 <= server.calls <= 200 * took + 1


async def test_streams_count_whole_messages_however_they_are_cut(echo: tuple[Echo, str]) -> None:
    _, address = echo

    streams = await open_streams(Target(address, f"/{SERVICE}/Count"), [b"3", b"0", b"7"])
    await until(lambda: streams.messages >= 10, 60)

    assert (streams.messages, streams.served, streams.failures.total()) == (10, 2, 0)
    streams.close()
