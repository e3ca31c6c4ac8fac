import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

import orjson
import pytest
from prometheus_client import CollectorRegistry, Counter

from laurel_server.runtime import operations
from laurel_server.runtime.operations import Answer, OperationsServer


@dataclass
class Running:
    """A listener with a metric, whose health a test decides."""

    healthy: bool = True
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    port: int = 0

    async def raw(self, request: bytes) -> bytes:
        """Send bytes and return all that comes back until the connection is closed."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        answer = b""
        with suppress(ConnectionResetError):  # who closes before he has read all resets the connection
            answer = await reader.read()
        writer.close()
        return answer

    async def ask(self, line: str) -> tuple[int, dict[str, str], bytes]:
        """Send a request without a body and return status, headers and body."""
        answer = await self.raw(f"{line}\r\nHost: laurel\r\n\r\n".encode())
        head, _, body = answer.partition(b"\r\n\r\n")
        first, *rest = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in rest)
        return int(first.split(" ")[1]), headers, body


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    state = Running()
    Counter("laurel_test_total", "A test.", registry=state.registry).inc(3)
    pages = {"/page": Answer(HTTPStatus.OK, "text/x-test", b"page")}
    server = OperationsServer(lambda: state.healthy, registry=state.registry, pages=pages)
    state.port = await server.start("127.0.0.1", 0)
    yield state
    await server.stop()


async def test_pages_are_served_as_they_are(running: Running) -> None:
    status, headers, body = await running.ask("GET /page?x=1 HTTP/1.1")
    assert (status, headers["Content-Type"], body) == (200, "text/x-test", b"page")


async def test_metrics_are_shown(running: Running) -> None:
    status, headers, body = await running.ask("GET /metrics HTTP/1.1")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain")
    assert b"laurel_test_total 3.0" in body
    assert int(headers["Content-Length"]) == len(body)


@pytest.mark.parametrize(("healthy", "status"), [(True, 200), (False, 503)])
async def test_health_follows_the_server(running: Running, healthy: bool, status: int) -> None:
    running.healthy = healthy
    assert (await running.ask("GET /healthz HTTP/1.1"))[0] == status


async def test_head_has_no_body(running: Running) -> None:
    status, headers, body = await running.ask("HEAD /healthz HTTP/1.1")
    assert (status, headers["Content-Length"], body) == (200, "3", b"")


async def test_a_query_is_ignored(running: Running) -> None:
    assert (await running.ask("GET /healthz?verbose=1 HTTP/1.1"))[0] == 200


@pytest.mark.parametrize(
    ("line", "status", "code"),
    [
        ("GET / HTTP/1.1", 404, 5),
        ("GET /metrics/ HTTP/1.1", 404, 5),
        ("POST /metrics HTTP/1.1", 405, 12),
        ("nonsense", 400, 3),
    ],
)
async def test_errors_are_json(running: Running, line: str, status: int, code: int) -> None:
    answered, headers, body = await running.ask(line)
    assert (answered, headers["Content-Type"]) == (status, "application/json")
    error = orjson.loads(body)
    assert error.keys() == {"code", "message", "details"}
    assert error["code"] == code


async def test_an_endless_head_is_cut_off(running: Running) -> None:
    answer = await running.raw(b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n")
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431")


async def test_a_silent_connection_is_closed(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "_HEAD_SECONDS", 0.05)
    assert await running.raw(b"GET /metrics HTTP/1.1\r\n") == b""


async def test_metrics_can_be_switched_off() -> None:
    server = OperationsServer(lambda: True, metrics=False)
    state = Running(port=await server.start("127.0.0.1", 0))
    assert (await state.ask("GET /metrics HTTP/1.1"))[0] == 404
    assert (await state.ask("GET /healthz HTTP/1.1"))[0] == 200
    await server.stop()


async def test_a_port_in_use_is_an_error(running: Running) -> None:
    with pytest.raises(OSError, match="address already in use"):
        await OperationsServer(lambda: True).start("127.0.0.1", running.port)
