"""Servers of gRPC that fail the first call of every method: `standin_backend.py FOLDER refuse|cancel|die`.

The first answers UNAVAILABLE or CANCELLED, or kills its server in the middle of the call; later ones answer an empty
message. Several servers work on one folder, where `calls` has a line for each call that has come in. Prints its port.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc


class Failing(grpc.GenericRpcHandler):
    """Handles every method that there is."""

    def __init__(self, folder: Path, how: str) -> None:
        self._folder = folder
        self._how = how

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any] | None":
        """Return what handles a method; health is another's."""
        name = details.method
        if not name.startswith("/laurel."):
            return None

        async def answer(_request: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
            await self._note(name, context)
            return b""

        async def stream(_request: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> None:
            await self._note(name, context)

        if "/Watch" in name:
            return grpc.unary_stream_rpc_method_handler(stream)
        return grpc.unary_unary_rpc_method_handler(answer)

    async def _note(self, name: str, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        with (self._folder / "calls").open("a") as calls:
            calls.write(f"{name}\n")
        try:
            (self._folder / name.rpartition("/")[2]).touch(exist_ok=False)
        except FileExistsError:
            return
        if self._how == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        code = grpc.StatusCode.CANCELLED if self._how == "cancel" else grpc.StatusCode.UNAVAILABLE
        await context.abort(code, "not at first")


async def main(folder: str, how: str) -> None:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Failing(Path(folder), how),))
    status = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(status, server)
    await status.set("", health_pb2.HealthCheckResponse.SERVING)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
