"""Ports for the programs of tests."""

import socket
from contextlib import closing, suppress


def free_port() -> int:
    """Return a port that nobody listens on, and that nobody else is given until this process ends.

    A socket that never listens holds it, beside which a program with SO_REUSEADDR can listen, again and again.
    """
    return _hold(0)


def free_port_with_bus() -> int:
    """Return a port for a node of a Redis Cluster, whose bus listens 10,000 above; both are held."""
    while True:
        with suppress(OSError, OverflowError):  # somebody has the other one, or there is none so high
            port = free_port()
            _hold(port + 10_000)
            return port


def _hold(port: int) -> int:
    with closing(socket.socket()) as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", port))
        held: int = holder.getsockname()[1]
        holder.detach()
    return held
