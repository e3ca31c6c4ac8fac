"""The pages, as the listener hands them out."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry

from laurel_server.runtime.operations import OperationsServer
from laurel_server.runtime.pages import load_pages


@pytest.fixture
async def port() -> AsyncIterator[int]:
    server = OperationsServer(lambda: True, pages=load_pages(), registry=CollectorRegistry())
    yield await server.start("127.0.0.1", 0)
    await server.stop()


async def fetch(port: int, target: str) -> tuple[int, dict[str, str], str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: laurel\r\n\r\n".encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    first, *rest = head.decode().split("\r\n")
    return int(first.split()[1]), dict(line.split(": ", 1) for line in rest), body.decode()


async def test_the_entrance_is_a_page_that_runs_nothing_but_its_own_scripts(port: int) -> None:
    status, headers, body = await fetch(port, "/?period=weekly")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "script-src 'self';" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "<title>Laurel</title>" in body


async def test_everything_that_the_files_name_is_there() -> None:
    pages = load_pages()
    for path, answer in pages.items():
        named = re.findall(
            r"""(?:href|src|from|import)[=( ]*["'`]([^"'`#]+\.(?:js|css|svg))""", answer.body.decode()
        )
        for name in named:
            parent = path.rpartition("/")[0] if path.startswith("/web/") else ""
            target = name if name.startswith("/") else resolve(parent, name)
            assert target in pages, f"{path} names {name}"


def resolve(parent: str, name: str) -> str:
    parts = parent.split("/")
    for part in name.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


@pytest.mark.parametrize(
    "target", ["/web/nothing.js", "/web/../cli.py", "/web/%2e%2e/cli.py", "/web", "/web/"]
)
async def test_nothing_else_is(port: int, target: str) -> None:
    assert (await fetch(port, target))[0] == 404


def test_no_page_reaches_for_another_host() -> None:
    for path, answer in load_pages().items():
        hosts = set(re.findall(r"https?://[^\s\"'`)]+", answer.body.decode()))
        assert hosts <= {"http://www.w3.org/2000/svg"}, path
