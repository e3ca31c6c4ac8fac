import socket

import pytest

from laurel_server.devstack.errors import DevstackError
from laurel_server.devstack.ports import Endpoint, reserved, reserved_for_many


def test_a_free_port_is_chosen_and_others_are_not_given_it() -> None:
    with reserved("127.0.0.1") as first, reserved("127.0.0.1") as second:
        assert first.port != 0
        assert first.port != second.port


def test_a_server_can_listen_on_a_reserved_port_again_and_again() -> None:
    with reserved("127.0.0.1") as endpoint:
        for _ in range(3):
            with socket.create_server((endpoint.host, endpoint.port)):
                socket.create_connection((endpoint.host, endpoint.port)).close()


def test_a_reservation_accepts_no_connection() -> None:
    with reserved("127.0.0.1") as endpoint, pytest.raises(ConnectionRefusedError):
        socket.create_connection((endpoint.host, endpoint.port))


def test_a_taken_port_names_the_variable_that_chose_it() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(DevstackError, match="is taken by another program; set LAUREL_GRPC_PORT"),
        reserved("127.0.0.1", taken.getsockname()[1], "LAUREL_GRPC_PORT"),
    ):
        pass


def test_a_port_that_is_closing_down_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        server.accept()[0].close()  # the side that closes first keeps the port in TIME_WAIT
        client.close()
    with reserved("127.0.0.1", port) as endpoint:
        assert endpoint.port == port


@pytest.mark.parametrize(("host", "text"), [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80")])
def test_an_endpoint_reads_as_an_address(host: str, text: str) -> None:
    assert str(Endpoint(host, 80)) == text


def listening(endpoint: Endpoint) -> socket.socket:
    return socket.create_server((endpoint.host, endpoint.port), reuse_port=True)


def test_many_can_listen_on_a_port_reserved_for_many() -> None:
    with reserved_for_many("127.0.0.1") as endpoint, listening(endpoint), listening(endpoint):
        socket.create_connection((endpoint.host, endpoint.port)).close()


def test_a_port_that_others_share_is_taken() -> None:
    with (
        reserved_for_many("127.0.0.1") as endpoint,
        listening(endpoint),
        pytest.raises(DevstackError, match="is taken by another program"),
        reserved_for_many("127.0.0.1", endpoint.port),
    ):
        pass
