"""The call under way, as interceptors and servicers see it."""

import itertools
import secrets
import time
from collections.abc import Awaitable
from contextvars import ContextVar
from typing import Any, Final, cast

import grpc
from google.protobuf.message import Message

from laurel_server.rpc.methods import Method

ANONYMOUS: Final = "anonymous"
"""The caller while no credentials are asked for."""

Metadata = tuple[tuple[str, str | bytes], ...]
"""What came with a call beside its request, keys in lower case."""

# A random start and a count: unique across processes, and cheaper than randomness for each call.
_ID_PREFIX = secrets.token_hex(6)
_id_numbers = itertools.count(1)


class CallContext:
    """One call.

    `deadline` is a moment of `time.monotonic()` (the clock of the event loop), None for a stream without one.
    `fresh_until`, such a moment too, is set by a servicer whose answer may be given to others until then.
    `code` (a canonical code by name) and `failure` say how the call ended; the error interceptor sets them.
    `rpc` is gRPC's own context.
    """

    __slots__ = (
        "_metadata",
        "_request_id",
        "caller",
        "code",
        "deadline",
        "failure",
        "fresh_until",
        "method",
        "rpc",
        "started_at",
    )

    def __init__(self, method: Method, rpc: "grpc.aio.ServicerContext[Any, Any]") -> None:
        self.method = method
        self.rpc = rpc
        self.started_at = time.monotonic()
        self.caller = ANONYMOUS
        self.deadline: float | None = None
        self.fresh_until = 0.0
        self.code = "OK"
        self.failure: Exception | None = None
        self._metadata: Metadata | None = None
        self._request_id = ""

    @property
    def metadata(self) -> Metadata:
        """What the caller sent beside the request; gRPC makes it anew each time, so it is kept."""
        if self._metadata is None:
            self._metadata = cast("Metadata", self.rpc.invocation_metadata() or ())
        return self._metadata

    @property
    def request_id(self) -> str:
        """The id that the caller gave, otherwise one that is made when somebody asks for it."""
        if not self._request_id:
            self._request_id = f"{_ID_PREFIX}-{next(_id_numbers):x}"
        return self._request_id

    @request_id.setter
    def request_id(self, request_id: str) -> None:
        self._request_id = request_id

    @property
    def time_remaining(self) -> float | None:
        """Seconds until the deadline, negative after it; None without a deadline."""
        return None if self.deadline is None else self.deadline - time.monotonic()

    async def read(self) -> bytes | None:
        """Return the next message of a stream of requests, None after the last; waits until it is there."""
        message = await self.rpc.read()
        return None if message is grpc.aio.EOF else message

    def write(self, message: Message | bytes) -> Awaitable[None]:
        """Send one message of a stream once it is awaited; that waits while the connection takes no more."""
        return self.rpc.write(message if isinstance(message, bytes) else message.SerializeToString())


CURRENT_CALL: Final[ContextVar[CallContext | None]] = ContextVar("current_call", default=None)
"""The call that the running task serves, for log lines; None outside of calls."""
