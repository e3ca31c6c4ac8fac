"""What interceptors wrap: the coroutine that answers the calls of one method."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from google.protobuf.message import Message

from laurel_server.rpc.context import CallContext
from laurel_server.rpc.methods import Method

Payload = bytes | Message
"""A request or response: serialized outside of the validation interceptor, a message (or bytes) inside."""

Handler = Callable[[Payload, CallContext], Awaitable[Payload | None]]
"""Answers one call. The handler of a stream writes to the context and returns None."""


class Interceptor(Protocol):
    """One concern of every call."""

    @property
    def name(self) -> str:
        """The name in the order of the chain."""
        ...

    def wrap(self, method: Method, handler: Handler) -> Handler:
        """Return a handler that does its part and calls `handler`."""
        ...
