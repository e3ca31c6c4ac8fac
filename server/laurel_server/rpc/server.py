"""Makes the gRPC server: binds servicers to the table of methods, inside the chain of interceptors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import grpc
from google.protobuf.descriptor import ServiceDescriptor

from laurel_server.rpc.context import CallContext
from laurel_server.rpc.health import Health
from laurel_server.rpc.interceptors.chain import Chain
from laurel_server.rpc.interceptors.handler import Handler
from laurel_server.rpc.methods import Method, methods_of
from laurel_server.rpc.reflection import add_reflection

_UNLIMITED = 2**31 - 1


class Servicer(Protocol):
    """Serves methods of one service: for each a coroutine method of that name, `(request, call) -> response`.

    The response is a message or its serialized form. A streaming method writes to `call` and returns None; one that
    takes a stream is given no request and reads them, serialized, from `call`.
    Several servicers may share a service, each with other methods.
    """

    @property
    def service(self) -> ServiceDescriptor:
        """The service, which several servicers may share."""
        ...


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How the listener treats connections; times in seconds, sizes in bytes."""

    max_message_bytes: int = 4 << 20
    max_metadata_bytes: int = 16 << 10
    keepalive: float = 60
    keepalive_timeout: float = 20
    max_connection_age: float = 0
    """After this time connections are asked to reconnect, so that load spreads; 0 = never."""

    max_connection_age_grace: float = 30
    """How long the calls on such a connection may go on."""

    shares_ports: bool = False
    """Lets other processes of the same user listen on the same ports: the kernel deals connections out to all."""


class ListenError(Exception):
    """The address cannot be listened on."""


async def build_server(
    servicers: Sequence[Servicer], chain: Chain, options: ServerOptions, health: Health
) -> grpc.aio.Server:
    """Return a server with all `servicers`, health and reflection that does not listen yet.

    LookupError if a method of a served service has no servicer or more than one.
    """
    server = grpc.aio.server(options=_channel_arguments(options))
    services = {servicer.service.full_name: servicer.service for servicer in servicers}
    for name, service in services.items():
        handlers = _handlers(service, [each for each in servicers if each.service is service], chain)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
    await health.add_to(server, services)
    add_reflection(server, services)
    return server


def listen(server: grpc.aio.Server, host: str, port: int) -> int:
    """Bind `server` to a TCP port, 0 for a free one, and return the port. ListenError if that fails."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        return server.add_insecure_port(address)
    except RuntimeError:
        raise ListenError(
            f"cannot listen for gRPC on {address}: is the port in use, or the address not ours?"
        ) from None


def _handlers(
    service: ServiceDescriptor, servicers: Sequence[Servicer], chain: Chain
) -> "dict[str, grpc.RpcMethodHandler[bytes, bytes]]":
    return {
        method.name: _bound(method, chain.wrap(method, _find(method, servicers)))
        for method in methods_of(service)
    }


def _find(method: Method, servicers: Sequence[Servicer]) -> Handler:
    found = [getattr(servicer, method.name) for servicer in servicers if hasattr(servicer, method.name)]
    if len(found) != 1:
        raise LookupError(f"{method.full_name} is served by {len(found)} servicers instead of one")
    return cast("Handler", found[0])


def _bound(method: Method, handler: Handler) -> "grpc.RpcMethodHandler[bytes, bytes]":
    """Return gRPC's handler from bytes to bytes: parsing is part of the chain, which maps its errors."""
    if method.client_streaming:

        async def streams(_requests: object, rpc: "grpc.aio.ServicerContext[bytes, bytes]") -> None:
            await handler(b"", CallContext(method, rpc))

        return grpc.stream_stream_rpc_method_handler(streams)

    if method.server_streaming:

        async def stream(request: bytes, rpc: "grpc.aio.ServicerContext[bytes, bytes]") -> None:
            await handler(request, CallContext(method, rpc))

        return grpc.unary_stream_rpc_method_handler(stream)

    async def unary(request: bytes, rpc: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
        return cast("bytes", await handler(request, CallContext(method, rpc)))

    return grpc.unary_unary_rpc_method_handler(unary)


def _channel_arguments(options: ServerOptions) -> list[tuple[str, int]]:
    arguments = {
        "grpc.max_receive_message_length": options.max_message_bytes,
        "grpc.max_send_message_length": -1,  # what a client takes is for the client to say
        "grpc.max_metadata_size": options.max_metadata_bytes
        // 2,  # from here on requests are refused now and then
        "grpc.absolute_max_metadata_size": options.max_metadata_bytes,
        "grpc.keepalive_time_ms": round(options.keepalive * 1000),
        "grpc.keepalive_timeout_ms": round(options.keepalive_timeout * 1000),
        "grpc.keepalive_permit_without_calls": 1,
        "grpc.http2.min_recv_ping_interval_without_data_ms": 10_000,
        "grpc.http2.max_pings_without_data": 0,
        # By default a second server may share the port, unnoticed, and get some of the connections.
        "grpc.so_reuseport": int(options.shares_ports),
        # Our own admission control refuses with a reason; the transport's limits would come before it.
        "grpc.max_concurrent_streams": _UNLIMITED,
        "grpc.server.max_pending_requests": 100_000,
        "grpc.server.max_pending_requests_hard_limit": 200_000,
    }
    if options.max_connection_age:
        arguments["grpc.max_connection_age_ms"] = round(options.max_connection_age * 1000)
        arguments["grpc.max_connection_age_grace_ms"] = round(options.max_connection_age_grace * 1000)
    return list(arguments.items())
