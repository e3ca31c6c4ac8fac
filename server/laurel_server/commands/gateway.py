"""`laurel gateway`: the configuration for an Envoy of one's own."""

import json
import sys
from pathlib import Path
from typing import Annotated, Final

import typer
import yaml

from laurel_server.devstack.gateway import DESCRIPTORS, GatewayOptions, Limits, gateway_config
from laurel_server.devstack.ports import Endpoint
from laurel_server.runtime.config import Settings
from laurel_server.runtime.environment import is_loopback, load_settings
from laurel_server.runtime.jwt import read_jwt
from laurel_server.runtime.tls import read_tls

_SERVER: Final = "127.0.0.1:50051"
_OPERATIONS: Final = "127.0.0.1:9090"

_Servers = Annotated[
    list[str], typer.Option("--server", metavar="HOST:PORT", help="A gRPC server; may be repeated.")
]
_Operations = Annotated[
    list[str],
    typer.Option(
        "--operations", metavar="HOST:PORT", help="A server's LAUREL_OPERATIONS_PORT; may be repeated."
    ),
]
_Descriptors = Annotated[Path, typer.Option(help="Where Envoy will find the contract.")]
_PrintDescriptors = Annotated[
    bool,
    typer.Option("--print-descriptors", help="Print the contract for Envoy, in binary, and nothing else."),
]

_AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON instead of YAML, for a file that ends with .json.")
]


def gateway(
    server: _Servers = [_SERVER],  # noqa: B006 - typer copies it
    operations: _Operations = [_OPERATIONS],  # noqa: B006
    descriptors: _Descriptors = DESCRIPTORS,
    print_descriptors: _PrintDescriptors = False,
    as_json: _AsJson = False,
) -> None:
    """Print the configuration of the gateway for an Envoy of your own; LAUREL_HTTP_* set how it listens."""
    if print_descriptors:
        if as_json:
            raise typer.BadParameter("descriptors are binary; they cannot be printed as JSON")
        sys.stdout.buffer.write(DESCRIPTORS.read_bytes())
        return
    config = gateway_config(_options(load_settings(), server, operations, descriptors))
    typer.echo(json.dumps(yaml.safe_load(config), indent=2) + "\n" if as_json else config, nl=False)


def _options(
    settings: Settings, servers: list[str], operations: list[str], descriptors: Path
) -> GatewayOptions:
    return GatewayOptions(
        listen=Endpoint(settings.http.host, settings.http.port),
        servers=[_endpoint(each) for each in servers],
        operations=[_endpoint(each) for each in operations],
        origins=settings.http.origins,
        limits=Limits(
            settings.http.rate_limit, settings.http.client_rate_limit, settings.http.trusted_proxies
        ),
        exposed=not is_loopback(settings.http.host),
        max_message_bytes=settings.grpc.max_message_bytes,
        deadline_seconds=settings.grpc.max_deadline_seconds,
        tls=read_tls(settings.http),
        jwt=read_jwt(settings),
        descriptors=descriptors,
    )


def _endpoint(address: str) -> Endpoint:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise typer.BadParameter(f"{address} is not HOST:PORT")
    return Endpoint(host.strip("[]"), int(port))
