"""Asks a server for its health, as load balancers and the supervisor do."""

import grpc

_CHECK = "/grpc.health.v1.Health/Check"
_WHOLE_SERVER = b""  # HealthCheckRequest without a service name
_SERVING = b"\x08\x01"  # HealthCheckResponse with status = SERVING
_OPTIONS = [
    ("grpc.enable_http_proxy", 0),  # a proxy of the environment is not for this machine
    ("grpc.use_local_subchannel_pool", 1),  # no waiting for the next try of a channel that failed before
]


async def check_health(address: str, timeout_seconds: float = 2) -> None:
    """Returns if the server at `HOST:PORT` says that it serves; raises ConnectionError if not."""
    async with grpc.aio.insecure_channel(address, _OPTIONS) as channel:
        check: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(_CHECK)
        try:
            answer = await check(_WHOLE_SERVER, timeout=timeout_seconds)
        except grpc.aio.AioRpcError as error:
            raise ConnectionError(f"{address} answers {error.code().name}: {error.details()}") from error
    if answer != _SERVING:
        raise ConnectionError(f"{address} is not serving")
