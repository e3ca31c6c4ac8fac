"""The server's own HTTP listener: `/metrics` for Prometheus, `/healthz` for load balancers, and fixed pages.

A few dozen lines on asyncio streams instead of a web framework: fixed paths, no bodies, one request a connection.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import grpc
import orjson
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

_MAX_HEAD: Final = 16 << 10
_HEAD_SECONDS: Final = 5.0

# Errors leave Laurel over HTTP with the canonical code that gRPC gateways show for the status.
_CODES: Final = {
    HTTPStatus.BAD_REQUEST: grpc.StatusCode.INVALID_ARGUMENT,
    HTTPStatus.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: grpc.StatusCode.UNIMPLEMENTED,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: grpc.StatusCode.INVALID_ARGUMENT,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a path has to say."""

    status: HTTPStatus
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    """Beside those of every answer."""


class OperationsServer:
    """Serves paths. `is_healthy` decides between 200 and 503 of `/healthz`; it must not wait.

    `pages` never change, such as the OpenAPI document.
    """

    def __init__(
        self,
        is_healthy: Callable[[], bool],
        *,
        metrics: bool = True,
        registry: CollectorRegistry = REGISTRY,
        pages: Mapping[str, Answer] | None = None,
    ) -> None:
        self._is_healthy = is_healthy
        self._registry = registry
        self._paths = {"/healthz": self._health} | ({"/metrics": self._metrics} if metrics else {})
        self._pages = dict(pages or {})
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen on a TCP port, 0 for a free one, and return the port. OSError if that cannot be done."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=_MAX_HEAD)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_HEAD_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._answer_to(head))
                await writer.drain()
        except asyncio.LimitOverrunError:
            writer.write(_http(_error(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)))
        except (asyncio.IncompleteReadError, TimeoutError, ConnectionError):
            pass  # nobody is waiting for an answer any more
        finally:
            writer.close()

    def _answer_to(self, head: bytes) -> bytes:
        method, target = _request_line(head)
        if not method:
            return _http(_error(HTTPStatus.BAD_REQUEST))
        if method not in {"GET", "HEAD"}:
            return _http(_error(HTTPStatus.METHOD_NOT_ALLOWED))
        return _http(self._answer_at(target.partition("?")[0]), with_body=method == "GET")

    def _answer_at(self, path: str) -> Answer:
        if path in self._paths:
            return self._paths[path]()
        return self._pages.get(path) or _error(HTTPStatus.NOT_FOUND)

    def _health(self) -> Answer:
        if self._is_healthy():
            return Answer(HTTPStatus.OK, "text/plain", b"ok\n")
        return Answer(HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", b"not serving\n")

    def _metrics(self) -> Answer:
        return Answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(self._registry))


def _request_line(head: bytes) -> tuple[str, str]:
    """Return method and target; empty if the line is none of HTTP."""
    parts = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    return (parts[0], parts[1]) if len(parts) == 3 else ("", "")  # noqa: PLR2004 - method, target, version


def _error(status: HTTPStatus) -> Answer:
    body = {"code": _CODES[status].value[0], "message": status.phrase, "details": []}
    return Answer(status, "application/json", orjson.dumps(body))


def _http(answer: Answer, *, with_body: bool = True) -> bytes:
    own = "".join(f"{name}: {value}\r\n" for name, value in answer.headers)
    head = (
        f"HTTP/1.1 {answer.status.value} {answer.status.phrase}\r\n"
        f"Content-Type: {answer.content_type}\r\n"
        f"Content-Length: {len(answer.body)}\r\n"
        "Allow: GET, HEAD\r\n"
        f"{own}"
        "Connection: close\r\n\r\n"
    )
    return head.encode("latin-1") + (answer.body if with_body else b"")
