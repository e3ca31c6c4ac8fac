"""Answers health checks, for tests of what happens around a server: `standin_server.py MODE`.

healthy serves and ends on SIGTERM; stubborn ignores SIGTERM; broken says why and ends; deaf never serves.
"""

import asyncio
import os
import signal
import sys

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc


async def main(mode: str) -> None:
    if mode == "broken":
        sys.exit("no luck today")
    server = grpc.aio.server()
    service = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(service, server)
    status = (
        health_pb2.HealthCheckResponse.NOT_SERVING
        if mode == "deaf"
        else health_pb2.HealthCheckResponse.SERVING
    )
    await service.set("", status)
    server.add_insecure_port(f"127.0.0.1:{os.environ['LAUREL_GRPC_PORT']}")
    await server.start()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(
        signal.SIGTERM, (lambda: None) if mode == "stubborn" else ended.set
    )
    await ended.wait()
    await server.stop(None)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
