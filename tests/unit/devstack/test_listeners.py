from contextlib import ExitStack, suppress
from pathlib import Path

from laurel_server.devstack.errors import DevstackError
from laurel_server.devstack.listeners import Listeners, reserve_listeners
from laurel_server.devstack.ports import Endpoint, reserved

ANY = Endpoint("127.0.0.1", 0)


def reserve(processes: int, operations: Endpoint | None = ANY) -> list[Listeners]:
    with ExitStack() as held:
        http = held.enter_context(reserved("127.0.0.1"))
        return list(reserve_listeners(ANY, operations, http, processes, held))


def test_one_process_has_the_port_for_itself() -> None:
    (alone,) = reserve(1)
    assert (alone.name, alone.shared, alone.public) == ("server", None, alone.grpc)


def test_several_share_the_port_and_have_one_each() -> None:
    first, second, third = reserve(3)
    assert [each.name for each in (first, second, third)] == ["server", "server-2", "server-3"]
    assert first.shared == second.shared == third.shared == first.public
    own = {first.grpc, second.grpc, third.grpc, first.operations, second.operations, third.operations}
    assert len(own) == 6
    assert first.public not in own


def two_in_a_row() -> int:
    """Return the first of two free ports, below those that are given to whoever asks for any."""
    given = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
    for port in range(int(given.split()[0]) - 2, 1024, -2):
        with suppress(DevstackError), reserved("127.0.0.1", port), reserved("127.0.0.1", port + 1):
            return port
    raise AssertionError("there are no two free ports in a row")


def test_operations_are_on_ports_in_a_row_that_was_asked_for() -> None:
    first = two_in_a_row()
    ports = [each.operations.port for each in reserve(2, Endpoint("127.0.0.1", first))]
    assert ports == [first, first + 1]


def test_without_a_gateway_the_first_serves_operations_on_the_port_for_http() -> None:
    with ExitStack() as held:
        http = held.enter_context(reserved("127.0.0.1"))
        first, second = reserve_listeners(ANY, None, http, 2, held)
    assert first.operations == http
    assert second.operations not in {http, ANY}
