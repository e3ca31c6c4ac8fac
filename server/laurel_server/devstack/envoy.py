"""The embedded Envoy: the gateway of a stack."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from dataclasses import replace
from signal import Signals

from laurel_server.devstack.binaries import Program
from laurel_server.devstack.datadir import DataDir, own_directory, write_private
from laurel_server.devstack.gateway import DESCRIPTORS, GatewayOptions, gateway_config
from laurel_server.devstack.identity import Identity
from laurel_server.devstack.ports import Endpoint
from laurel_server.devstack.service import Launch, StopStep
from laurel_server.devstack.surroundings import engine_environment

_PROBE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class EmbeddedEnvoy:
    """An Envoy with the gateway's template."""

    name = "envoy"
    stop_steps: Sequence[StopStep] = (StopStep(Signals.SIGTERM, 5), StopStep(Signals.SIGKILL, 10))
    ready_seconds = 30.0
    leftover_seconds = 0.5  # clients of a gateway whose supervisor is gone connect again

    def __init__(
        self, program: Program, data: DataDir, identity: Identity, options: GatewayOptions, threads: int
    ) -> None:
        self.program = program
        self._identity = identity
        self._options = options
        self._threads = threads
        self._directory = data.engine(self.name)
        self._trust = _any_certificate() if options.tls else None

    async def prepare(self) -> Launch:
        """Writes the configuration, and the contract beside it: the account may not get to the original."""
        own_directory(self._directory, self._identity.owner)
        config, descriptors = self._directory / "envoy.yaml", self._directory / DESCRIPTORS.name
        write_private(descriptors, self._options.descriptors.read_bytes(), self._identity.owner)
        options = replace(self._options, listen=_by_number(self._options.listen), descriptors=descriptors)
        write_private(config, gateway_config(options).encode(), self._identity.owner)
        # Without hot restart two Envoys on one machine share nothing, and so do not get in each other's way.
        arguments = ["--disable-hot-restart", "--log-level", "warning", "--concurrency", str(self._threads)]
        return Launch(
            command=[self.program.path, "-c", config, *arguments],
            env=engine_environment(),
            death_signal=Signals.SIGTERM,
            identity=self._identity,
        )

    async def probe(self) -> None:
        """Asks for a page that Envoy answers itself: the servers behind it may come and go."""
        listen = self._options.listen
        reader, writer = await asyncio.open_connection(listen.host, listen.port, ssl=self._trust)
        try:
            writer.write(_PROBE)
            status = await reader.readline()
        finally:
            writer.close()
        if b" 200 " not in status:
            raise ConnectionError(f"{listen} answers {status!r}")


def _any_certificate() -> ssl.SSLContext:
    """Returns what trusts every server: the probe asks the gateway on this machine, by another name than it has."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _by_number(endpoint: Endpoint) -> Endpoint:
    """Returns the endpoint with its address in numbers: Envoy listens on no names."""
    address = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)[0][4]
    return Endpoint(str(address[0]), endpoint.port)
