"""A webhook, servers that post to it, and what tests of notifications do."""

import json
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from laurel_server.domain.ledger import User
from laurel_server.domain.notifications import Kind, Preferences
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import run_job, until

SECRET = "webhook secret"

Notifying = Callable[..., AbstractAsyncContextManager[Parts]]
"""Runs a server that posts to the hook."""


class Hook:
    """A webhook that keeps what it gets and answers as it is told: at once, without an end, or when it is released."""

    def __init__(self) -> None:
        self.status = 200
        self.is_endless = False
        self.released = threading.Event()
        self.released.set()
        self.posts = 0
        self.ended = threading.Event()
        self.got: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.posts += 1
                hook.released.wait(60)
                if hook.status == 200:
                    hook.got.append(json.loads(body))
                    hook.headers.append(dict(self.headers))
                    hook.bodies.append(body)
                self.send_response(hook.status)
                if not hook.is_endless:
                    self.send_header("Content-Length", "0")
                self.end_headers()
                while hook.is_endless and not hook.ended.wait(0.05):
                    self.wfile.write(b": still here\n\n")

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.released.set()
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()

    def kinds(self, user_id: str) -> list[str]:
        return [each["kind"] for each in self.got if each["user_id"] == user_id]


async def dispatch(parts: Parts) -> dict[str, int]:
    """Run the job, which waits for boards that have not followed, and return its counts."""
    return await run_job(parts, "dispatch_notifications")


async def move_clock(parts: Parts, by: timedelta) -> None:
    assert parts.clock is not None
    await parts.clock.set(parts.business_clock.now() + by)


async def mute_all_but_milestones(parts: Parts, user_id: str) -> None:
    await parts.profiles.upsert([User(user_id)])
    await parts.preferences.write(user_id, Preferences(frozenset(Kind) - {Kind.POINTS_MILESTONE}))


async def dispatched(parts: Parts, outcome: str) -> None:
    """Run the job until it has dealt with one notification, which must come to this."""
    found: list[str] = []

    async def is_heard() -> bool:
        found.extend(name for name, number in (await dispatch(parts)).items() if number)
        return bool(found)

    await until(is_heard, "the consumer has made a notification")
    assert found == [outcome]
