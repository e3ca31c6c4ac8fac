"""The embedded PostgreSQL."""

import os
import shutil
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from signal import Signals
from typing import Final
from urllib.parse import quote

from laurel_server.devstack import logs
from laurel_server.devstack.binaries import Program
from laurel_server.devstack.datadir import DataDir, own_directory, write_private
from laurel_server.devstack.errors import DevstackError
from laurel_server.devstack.identity import Identity
from laurel_server.devstack.ports import Endpoint
from laurel_server.devstack.reaper import Reaper
from laurel_server.devstack.service import Launch, StopStep
from laurel_server.devstack.surroundings import engine_environment, fits_socket
from laurel_server.postgres.connection import server_version
from laurel_server.postgres.provision import ensure_database

_DATABASE: Final = "laurel"
_SUPERUSER: Final = "postgres"
_LOGINS = "local all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n"


class EmbeddedPostgres:
    """A cluster in the data directory, on loopback TCP and, where its path is short enough, a Unix socket."""

    name = "postgres"
    # Fast shutdown, then immediate shutdown (recovery at the next start), then by force.
    stop_steps: Sequence[StopStep] = (
        StopStep(Signals.SIGINT, 10),
        StopStep(Signals.SIGQUIT, 3),
        StopStep(Signals.SIGKILL, 10),
    )
    ready_seconds = 600.0  # recovery after a crash may replay a lot, and killing it would only start it over
    leftover_seconds = 3.0

    def __init__(
        self, program: Program, data: DataDir, identity: Identity, endpoint: Endpoint, reaper: Reaper
    ) -> None:
        self.program = program
        self.endpoint = endpoint
        self._identity = identity
        self._reaper = reaper
        self._passwords = data.passwords()
        self._log = data.log(self.name)
        self._directory = data.engine(self.name)
        self._cluster = self._directory / "data"

    @property
    def dsn(self) -> str:
        """Address for every client on this machine."""
        login = f"{_DATABASE}:{self._passwords.postgres}"
        return f"postgresql://{login}@{self.endpoint}/{_DATABASE}?sslmode=disable"

    @property
    def fast_dsn(self) -> str:
        """Address through the socket if there is one, which saves a fifth of a round trip, or else `dsn`."""
        if not self._has_socket:
            return self.dsn
        login = f"{_DATABASE}:{self._passwords.postgres}"
        place = f"host={quote(str(self._directory))}&port={self.endpoint.port}"
        return f"postgresql://{login}@/{_DATABASE}?{place}&sslmode=disable"

    async def prepare(self) -> Launch:
        """Makes the cluster at the first start, writes its settings and removes what a killed one left."""
        own_directory(self._directory, self._identity.owner)
        if not self._cluster.exists():
            await self._initialize()
        self._check_major_version()
        self._remove_stale_files()
        self._write("postgresql.conf", self._settings())
        self._write("pg_hba.conf", _LOGINS)
        return Launch(
            command=[self.program.path, "-D", self._cluster],
            env=engine_environment(),
            death_signal=Signals.SIGINT,
            identity=self._identity,
        )

    async def probe(self) -> None:
        """Connects and selects."""
        await server_version(self._superuser_dsn)

    async def provision(self) -> None:
        """Makes Laurel's role and database in the running cluster; they may exist."""
        await ensure_database(self._superuser_dsn, _DATABASE, self._passwords.postgres)

    @property
    def _superuser_dsn(self) -> str:
        login = f"{_SUPERUSER}:{self._passwords.postgres_superuser}"
        return f"postgresql://{login}@{self.endpoint}/postgres?sslmode=disable"

    @property
    def _has_socket(self) -> bool:
        return fits_socket(self._directory / f".s.PGSQL.{self.endpoint.port}")

    async def _initialize(self) -> None:
        """Makes the cluster beside its place and moves it there: a start that is killed leaves no half of one."""
        for left in self._directory.glob("draft-*"):
            shutil.rmtree(left, ignore_errors=True)
        draft, password = self._directory / f"draft-{os.getpid()}", self._directory / "password"
        write_private(password, self._passwords.postgres_superuser.encode(), self._identity.owner)
        start, log = logs.size(self._log), logs.open_log(self._log)
        try:
            command = self._identity.wrap(self._initdb(draft, password))
            if await self._reaper.run(command, output=log, env=engine_environment()) != 0:
                raise DevstackError(f"initdb failed:\n{logs.tail(self._log, start)}")
        finally:
            os.close(log)
            password.unlink()
        draft.rename(self._cluster)

    def _initdb(self, directory: Path, password: Path) -> list[str | Path]:
        program = self.program.path.with_name("initdb")
        login = [f"--username={_SUPERUSER}", f"--pwfile={password}", "--auth=scram-sha-256"]
        # Locales built into PostgreSQL do not change with the operating system, which would break indexes.
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        # A commit that needs a new file of the log waits until that is full of zeroes on the disk: a quarter of them.
        log = ["--wal-segsize=4"]
        return [program, "-D", directory, *login, *locale, *log, "--no-instructions"]

    def _check_major_version(self) -> None:
        found = (self._cluster / "PG_VERSION").read_text().strip()
        if found != str(self.program.version[0]):
            raise DevstackError(
                f"{self._cluster} was made by PostgreSQL {found}, "
                f"and {self.program.path} is {self.program.version_text}; "
                "set LAUREL_PG_BIN to the programs of that version, or LAUREL_DATA_DIR to a new directory"
            )

    def _remove_stale_files(self) -> None:
        """Removes the marks of a killed server; the lock says that none of ours lives, so look for others."""
        pid_file = self._cluster / "postmaster.pid"
        if pid_file.exists():
            pid = pid_file.read_text().partition("\n")[0].strip()
            if _works_in(pid, self._cluster):
                raise DevstackError(
                    f"a PostgreSQL (process {pid}) that `laurel serve` did not start runs in {self._cluster}"
                )
            pid_file.unlink()
        for socket in self._directory.glob(".s.PGSQL.*"):
            socket.unlink()

    def _settings(self) -> str:
        general = resources.files(__package__).joinpath("postgres.conf").read_text("utf-8")
        directories = '"' + str(self._directory).replace('"', '""') + '"' if self._has_socket else ""
        own = {
            "listen_addresses": self.endpoint.host,
            "port": str(self.endpoint.port),
            "unix_socket_directories": directories,
            "unix_socket_permissions": "0700",
        }
        lines = (f"{name} = '{_quote(value)}'\n" for name, value in own.items())
        return f"{general}\n{''.join(lines)}include_if_exists = 'local.conf'\n"

    def _write(self, name: str, text: str) -> None:
        write_private(self._cluster / name, text.encode(), self._identity.owner)


def _quote(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")


def _works_in(pid: str, directory: Path) -> bool:
    """Tells whether the process lives in the directory, as every PostgreSQL does in its cluster."""
    try:
        return Path("/proc", pid, "cwd").samefile(directory)
    except OSError:
        return False
