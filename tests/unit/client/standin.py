"""A gRPC server in this process that answers as a test tells it to."""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, NoReturn, TypeAlias

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from laurel_client import Laurel


@dataclass(frozen=True)
class Refusal:
    """An error status; with a reason it carries the details that Laurel sends."""

    code: grpc.StatusCode
    reason: str = ""
    retry_after: float | None = None
    fields: dict[str, str] = field(default_factory=dict)

    def status(self) -> Status:
        status = Status(code=self.code.value[0], message="no")
        if self.reason:
            status.details.add().Pack(
                ErrorInfo(reason=self.reason, domain="laurel", metadata={"key": "value"})
            )
        if self.fields:
            violations = [
                BadRequest.FieldViolation(field=name, description=rule) for name, rule in self.fields.items()
            ]
            status.details.add().Pack(BadRequest(field_violations=violations))
        if self.retry_after is not None:
            info = RetryInfo()
            info.retry_delay.FromNanoseconds(round(self.retry_after * 1e9))
            status.details.add().Pack(info)
        return status


class Then(Enum):
    """What comes after the messages of a stream."""

    SILENCE = auto()


Answer: TypeAlias = Message | Refusal | Then | Callable[[Any], Message]
Stream: TypeAlias = Sequence[Answer]


class Standin(grpc.GenericRpcHandler):
    """Answers each method with what is queued for it, the last answer again and again."""

    def __init__(self) -> None:
        self.requests: dict[str, list[Any]] = defaultdict(list)
        self.deadlines: dict[str, list[float]] = defaultdict(list)
        self.credentials: dict[str, list[str]] = defaultdict(list)
        self.hung_up = asyncio.Event()
        self._answers: dict[str, deque[Answer | Stream]] = defaultdict(deque)
        self._asked: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def answer(self, method: str, *answers: Answer | Stream) -> None:
        """Queues answers: for a unary method a message, a function of the request or a refusal; for a stream a list."""
        self._answers[method].extend(answers)

    def answer_anew(self, method: str, *answers: Answer | Stream) -> None:
        """Queues answers in place of those that are left."""
        self._answers[method].clear()
        self.answer(method, *answers)

    async def asked(self, method: str) -> None:
        """Waits until a method was called."""
        await self._asked[method].wait()

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        service, _, name = details.method.lstrip("/").partition("/")
        method = descriptor_pool.Default().FindMethodByName(f"{service}.{name}")
        read: Callable[[bytes], Message] = GetMessageClass(method.input_type).FromString
        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(self._streaming(name), read, _serialized)
        return grpc.unary_unary_rpc_method_handler(self._unary(name), read, _serialized)

    def _unary(self, name: str) -> Callable[..., Any]:
        async def answer(request: Message, context: Any) -> Message:
            told = self._take(name, request, context)
            return told(request) if callable(told) else await self._say(told, context)

        return answer

    def _streaming(self, name: str) -> Callable[..., Any]:
        async def answer(request: Message, context: Any) -> AsyncIterator[Message]:
            stream = self._take(name, request, context)
            assert isinstance(stream, Sequence)
            try:
                for told in stream:
                    yield await self._say(told, context)
            except (asyncio.CancelledError, GeneratorExit):  # while a message was sent, too
                self.hung_up.set()
                raise

        return answer

    def _take(self, name: str, request: Message, context: Any) -> Answer | Stream:
        self.requests[name].append(request)
        self.deadlines[name].append(context.time_remaining())
        self.credentials[name].append(dict(context.invocation_metadata()).get("authorization", ""))
        self._asked[name].set()
        queue = self._answers[name]
        return queue.popleft() if len(queue) > 1 else queue[0]

    async def _say(self, told: Answer | Stream, context: Any) -> Message:
        if isinstance(told, Message):
            return told
        if isinstance(told, Refusal):
            await refuse(told, context)
        try:
            return await asyncio.Event().wait()  # type: ignore[return-value]
        finally:
            self.hung_up.set()


def _serialized(message: Message) -> bytes:
    return message.SerializeToString()


async def refuse(refusal: Refusal, context: Any) -> NoReturn:
    """Ends a call as the server does."""
    details = refusal.status().SerializeToString() if refusal.reason or refusal.fields else None
    trailing = (("grpc-status-details-bin", details),) if details else ()
    await context.abort(refusal.code, "no", trailing)
    raise AssertionError


@asynccontextmanager
async def serving(standin: Standin, port: int = 0) -> AsyncIterator[str]:
    """Serves at an address of its own, or at `port`."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((standin,))
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


@asynccontextmanager
async def connected(standin: Standin, **options: Any) -> AsyncIterator[Laurel]:
    """A client of the stand-in."""
    async with serving(standin) as address, Laurel(address, **options) as laurel:
        yield laurel
