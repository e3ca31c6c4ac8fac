"""TCP ports that stay ours between the end of a process and its next start."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from laurel_server.devstack.errors import DevstackError


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address to listen on."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@contextmanager
def reserved(host: str, port: int = 0, variable: str | None = None) -> Iterator[Endpoint]:
    """Holds a port, a free one for 0, by a bound socket that never listens.

    With SO_REUSEADDR on both sides a process can listen on the port meanwhile, but nobody is given it as a
    free one. Raises DevstackError, naming the variable that set the port, if it is taken or may not be used.
    """
    with _bound(host, port, variable, socket.SO_REUSEADDR) as endpoint:
        yield endpoint


@contextmanager
def reserved_for_many(host: str, port: int = 0, variable: str | None = None) -> Iterator[Endpoint]:
    """Holds a port like `reserved`, for several processes to listen on, which the kernel deals connections out to.

    That takes SO_REUSEPORT on all sides. A socket with it could be bound beside those of another program unnoticed,
    so one without it is bound first.
    """
    with _bound(host, port, variable, socket.SO_REUSEADDR) as free:
        pass
    with _bound(host, free.port, variable, socket.SO_REUSEADDR, socket.SO_REUSEPORT) as endpoint:
        yield endpoint


@contextmanager
def _bound(host: str, port: int, variable: str | None, *options: int) -> Iterator[Endpoint]:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as holder:
        for option in options:
            holder.setsockopt(socket.SOL_SOCKET, option, 1)
        try:
            holder.bind(address)
        except OSError as error:
            raise DevstackError(_explain(error, Endpoint(host, port), variable)) from error
        yield Endpoint(host, holder.getsockname()[1])


def _explain(error: OSError, endpoint: Endpoint, variable: str | None) -> str:
    reason = (
        "is taken by another program"
        if error.errno == errno.EADDRINUSE
        else f"cannot be used: {error.strerror}"
    )
    advice = f"; set {variable} to another port, or to 0 for a free one" if variable else ""
    return f"{endpoint} {reason}{advice}"
