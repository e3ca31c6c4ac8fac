"""Calls of the gateway that several tests make, and gateways in front of servers of theirs."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from laurel_server.devstack.binaries import find_envoy
from laurel_server.devstack.gateway import GatewayOptions, gateway_config
from laurel_server.devstack.ports import Endpoint
from tests.e2e.curl import Answer, curl
from tests.e2e.serving import eventually
from tests.ports import free_port

TOKENS = (
    '{"s3cret-shop": {"caller": "shop", "scopes": ["write", "read"]},'
    ' "s3cret-desk": {"caller": "desk", "scopes": ["read"]},'
    ' "s3cret-admin": {"caller": "ops", "scopes": ["admin"]}}'
)

_numbers = count()


def award(api: str, user_id: str, **more: object) -> Answer:
    body = {"request_id": f"gateway-{next(_numbers)}", "user_id": user_id, "action": "REVIEW", **more}
    return curl(f"{api}/rewards/award", data=body)


def bearing(token: str) -> tuple[str, str]:
    return "-H", f"Authorization: Bearer {token}"


@contextmanager
def envoy_before(servers: Sequence[str], operations: str, directory: Path) -> Iterator[str]:
    """Gives the URL of an Envoy in front of servers of gRPC; `operations` is where one of them has plain HTTP."""
    port = free_port()
    options = GatewayOptions(
        listen=Endpoint("127.0.0.1", port),
        servers=[_endpoint(each) for each in servers],
        operations=[_endpoint(operations)],
    )
    config = directory / "envoy.yaml"
    config.write_text(gateway_config(options))
    command = [str(find_envoy().path), "-c", str(config), "--disable-hot-restart", "--concurrency", "1"]
    with (directory / "envoy.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        eventually(lambda: _lives(port), "the gateway runs")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def _lives(port: int) -> bool:
    with suppress(subprocess.CalledProcessError):
        return curl(f"http://127.0.0.1:{port}/livez").status == 200
    return False


def _endpoint(address: str) -> Endpoint:
    host, _, port = address.rpartition(":")
    return Endpoint(host, int(port))
