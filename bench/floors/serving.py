"""What the floors' programs have in common: Laurel's channel options, and how they start and stop."""

import asyncio
import signal
from collections.abc import Mapping
from typing import Any, TypeAlias

import grpc

from laurel_server.rpc.server import ServerOptions, _channel_arguments

SERVICE = "bench.Floor"
Handlers: TypeAlias = "Mapping[str, grpc.RpcMethodHandler[Any, Any]]"


def path(method: str) -> str:
    """Return the path of a floor's method."""
    return f"/{SERVICE}/{method}"


async def serve(handlers: Handlers) -> None:
    """Serve on a free port, print the address, and run until SIGTERM."""
    server = grpc.aio.server(options=_channel_arguments(ServerOptions()))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, dict(handlers)),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"127.0.0.1:{port}", flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await server.stop(0)
