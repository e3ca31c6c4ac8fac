"""Where the server processes of a stack listen."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from laurel_server.devstack.ports import Endpoint, reserved


@dataclass(frozen=True, slots=True)
class Listeners:
    """The two listeners of one server process."""

    name: str
    """The name of the process."""
    grpc: Endpoint
    operations: Endpoint


def reserve_listeners(
    grpc: Endpoint, operations: Endpoint | None, http: Endpoint, processes: int, held: ExitStack
) -> Iterator[Listeners]:
    """Yields the listeners of each process, their ports held; the first has the ports that were asked for.

    The first serves operations on the port for HTTP where `operations` is None. Raises DevstackError.
    """
    first = held.enter_context(reserved(grpc.host, grpc.port, "LAUREL_GRPC_PORT"))
    if operations is None:
        yield Listeners("server", first, http)
    else:
        own = held.enter_context(reserved(operations.host, operations.port, "LAUREL_OPERATIONS_PORT"))
        yield Listeners("server", first, own)
    for number in range(2, processes + 1):
        hosts = (grpc.host, grpc.host if operations is None else operations.host)
        pair = [held.enter_context(reserved(host)) for host in hosts]
        yield Listeners(f"server-{number}", *pair)
