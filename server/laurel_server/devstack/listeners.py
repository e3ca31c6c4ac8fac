"""Where the server processes of a stack listen."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from laurel_server.devstack.ports import Endpoint, reserved, reserved_for_many


@dataclass(frozen=True, slots=True)
class Listeners:
    """The listeners of one server process."""

    name: str
    """The name of the process."""
    grpc: Endpoint
    """Where this process alone is asked: by the gateway, and for its health."""
    operations: Endpoint
    shared: Endpoint | None = None
    """Where the clients of all processes call; None: there is one process, and they call it."""

    @property
    def public(self) -> Endpoint:
        """Where clients of gRPC call."""
        return self.shared or self.grpc


def reserve_listeners(
    grpc: Endpoint, operations: Endpoint | None, http: Endpoint, processes: int, held: ExitStack
) -> Iterator[Listeners]:
    """Yields the listeners of each process, their ports held; `grpc` is the one that clients call.

    The first serves operations on the port that was asked for and each other one on the next, so that all can be
    scraped; where `operations` is None the first does so on the port for HTTP. Raises DevstackError.
    """
    reserve = reserved if processes == 1 else reserved_for_many
    public = held.enter_context(reserve(grpc.host, grpc.port, "LAUREL_GRPC_PORT"))
    for number in range(processes):
        name = f"server-{number + 1}" if number else "server"
        own_operations = http
        if operations is not None or number:
            asked = operations or Endpoint(http.host, 0)
            port = asked.port + number if asked.port else 0
            own_operations = held.enter_context(reserved(asked.host, port, "LAUREL_OPERATIONS_PORT"))
        if processes == 1:
            yield Listeners(name, public, own_operations)
        else:
            yield Listeners(name, held.enter_context(reserved(grpc.host)), own_operations, public)
