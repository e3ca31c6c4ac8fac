"""How the client connects."""

from importlib.resources import files
from ipaddress import ip_address
from typing import Final

import grpc

SERVICE_CONFIG: Final = files("laurel_client").joinpath("service_config.json").read_text("utf-8")
"""Which methods gRPC itself retries: the idempotent ones, on UNAVAILABLE and CANCELLED, for about 5 seconds.

CANCELLED is what a gRPC server answers that is told to stop in the very moment in which a call comes in.

RESOURCE_EXHAUSTED is not in it: a spent cap has that code too, and gRPC cannot tell them apart. `Caller` can.
"""

_OPTIONS: Final = (
    ("grpc.service_config", SERVICE_CONFIG),
    # Finds a peer that vanished, within 40 s, also while nothing is asked: a watch may have nothing to read for long.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # A window that grows by itself swallows some 80,000 updates for a reader that pauses, which then reads old news;
    # with a fixed one the server notices after some hundred and sends the newest state next.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.max_receive_message_length", 4 << 20),
    # A server that restarts is back within seconds; the defaults would look for it once in up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 2_000),
    ("grpc.max_reconnect_backoff_ms", 3_000),
)


_DIRECT: Final = (("grpc.enable_http_proxy", 0),)


def open_channel(target: str) -> grpc.aio.Channel:
    """Return a channel to `target` (`host:port`, or `dns:///name:port` for several servers). It connects when used.

    It goes through a proxy that the environment names (`https_proxy`), unless the target is this machine.
    """
    return grpc.aio.insecure_channel(target, options=_OPTIONS + (_DIRECT if is_here(target) else ()))


def is_here(target: str) -> bool:
    """Whether a target is a loopback address of this machine."""
    host = target.rpartition("/")[2].rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
