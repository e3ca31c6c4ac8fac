"""The embedded Redis."""

from collections.abc import Sequence
from importlib import resources
from signal import Signals
from urllib.parse import quote

from laurel_server.devstack.binaries import Program
from laurel_server.devstack.datadir import DataDir, own_directory, write_private
from laurel_server.devstack.identity import Identity
from laurel_server.devstack.ports import Endpoint
from laurel_server.devstack.service import Launch, StopStep
from laurel_server.devstack.surroundings import engine_environment, fits_socket
from laurel_server.redis.probe import look_at


class EmbeddedRedis:
    """A Redis without persistence, on loopback TCP and, where its path is short enough, a Unix socket."""

    name = "redis"
    stop_steps: Sequence[StopStep] = (StopStep(Signals.SIGTERM, 5), StopStep(Signals.SIGKILL, 10))
    ready_seconds = 30.0
    leftover_seconds = 0.5  # it has nothing to save

    def __init__(self, program: Program, data: DataDir, identity: Identity, endpoint: Endpoint) -> None:
        self.program = program
        self.endpoint = endpoint
        self._identity = identity
        self._password = data.passwords().redis
        self._directory = data.engine(self.name)
        self._socket = self._directory / "redis.sock"

    @property
    def url(self) -> str:
        """Address for every client on this machine."""
        return f"redis://:{self._password}@{self.endpoint}/0"

    @property
    def fast_url(self) -> str:
        """Address through the socket if there is one, or else `url`."""
        if not fits_socket(self._socket):
            return self.url
        return f"unix://:{self._password}@{quote(str(self._socket))}?db=0"

    async def prepare(self) -> Launch:
        """Writes the settings; they hold the password, so they are not on the command line for all to see."""
        own_directory(self._directory, self._identity.owner)
        self._socket.unlink(missing_ok=True)
        settings = self._directory / "redis.conf"
        write_private(settings, self._settings().encode(), self._identity.owner)
        return Launch(
            command=[self.program.path, settings],
            env=engine_environment(),
            death_signal=Signals.SIGTERM,
            identity=self._identity,
        )

    async def probe(self) -> None:
        """Sends PING."""
        await look_at(self.url)

    def _settings(self) -> str:
        general = resources.files(__package__).joinpath("redis.conf").read_text("utf-8")
        own = {"port": str(self.endpoint.port), "dir": str(self._directory), "requirepass": self._password}
        if fits_socket(self._socket):
            own["unixsocket"] = str(self._socket)
        return general + "".join(f"{name} {_quote(value)}\n" for name, value in own.items())


def _quote(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
