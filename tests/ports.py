"""Ports for the programs of tests."""

import socket


def free_port() -> int:
    """Return a port that nobody listens on, and that nobody else is given until this process ends.

    A socket that never listens holds it, beside which a program with SO_REUSEADDR can listen, again and again.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    port: int = holder.getsockname()[1]
    holder.detach()
    return port
