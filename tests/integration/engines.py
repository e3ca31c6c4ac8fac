"""PostgreSQL and Redis as processes of a test run, which may be killed, stopped and started again."""

import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from redis import Redis
from redis.crc import REDIS_CLUSTER_HASH_SLOTS as SLOTS

from laurel_server.devstack.binaries import find_postgres, find_redis
from laurel_server.devstack.datadir import own_directory
from laurel_server.devstack.identity import Identity, choose_identity
from laurel_server.devstack.surroundings import engine_environment
from tests.ports import free_port, free_port_with_bus

START_SECONDS = 60.0


class Engine:
    """A program that listens on one port. It ends with the test run, however that ends.

    `status` is the file in which PostgreSQL says that it is ready, which it is not yet when it listens.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        directory: Path,
        port: int,
        *,
        identity: Identity = Identity(),  # noqa: B008 - frozen
        status: Path | None = None,
    ) -> None:
        self.port = port
        self._command = command
        self._identity = identity
        self._directory = directory
        self._status = status
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it, again and again while a killed one still holds its place, and wait until it listens."""
        deadline = time.monotonic() + START_SECONDS
        while not self._starts(deadline):
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)
        return self

    def _starts(self, deadline: float) -> bool:
        wrapped = self._identity.wrap(self._command, signal.SIGKILL)
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                wrapped, env=engine_environment(), stdout=log, stderr=log, start_new_session=True
            )
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._answers(self._process.pid):
                return True
            time.sleep(0.02)
        return False

    def _answers(self, pid: int) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return self._status is None or _is_ready(self._status, pid)
        except OSError:
            return False

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process, not to its children."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self._wait(60)

    def stop(self) -> None:
        """End it the way it likes best."""
        if self._process is not None and self._process.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGINT)
            self._wait(60)

    def _wait(self, seconds: float) -> None:
        assert self._process is not None
        self._process.wait(seconds)

    @property
    def log(self) -> str:
        """What it has said."""
        return (self._directory / "log").read_text()


def new_postgres(directory: Path, **settings: str) -> Engine:
    """Make a cluster below `directory`, which is not started yet; `settings` are added to postgresql.conf."""
    program = find_postgres(None).path
    place = directory / "postgres"
    identity = choose_identity(program, place)
    own_directory(place, identity.owner)
    cluster, port = place / "cluster", free_port()
    options = ["--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]
    subprocess.run(
        identity.wrap([program.with_name("initdb"), "-D", cluster, *options]),
        env=engine_environment(),
        check=True,
        capture_output=True,
    )
    own = {
        "port": str(port),
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        **_SMALL,
        **settings,
    }
    with (cluster / "postgresql.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in own.items())
    return Engine(
        [program, "-D", cluster], directory, port, identity=identity, status=cluster / "postmaster.pid"
    )


_SMALL = {"shared_buffers": "64MB", "max_connections": "60", "jit": "off", "timezone": "UTC"}


def new_redis(directory: Path) -> Engine:
    """Return a Redis without persistence, which is not started yet."""
    program, port = find_redis().path, free_port()
    options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(directory)]
    return Engine([program, "--port", str(port), *options], directory, port)


def _is_ready(status: Path, pid: int) -> bool:
    """Whether the file, whose first line is the process and whose eighth its state, says so."""
    lines = status.read_text().splitlines()
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def dsn(postgres: Engine, database: str) -> str:
    """Return the address of a database."""
    return f"postgresql://postgres@127.0.0.1:{postgres.port}/{database}?sslmode=disable"


def redis_url(redis: Engine) -> str:
    """Return the address of the first database of a Redis."""
    return f"redis://127.0.0.1:{redis.port}/0"


def new_redis_cluster(directory: Path, masters: int = 3) -> list[Engine]:
    """Start a Redis Cluster of so many servers without replicas, and share the slots out among them."""
    nodes = []
    for number in range(masters):
        place = directory / f"node{number}"
        place.mkdir()
        port = free_port_with_bus()
        options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(place)]
        own = ["--cluster-enabled", "yes", "--cluster-node-timeout", "15000"]
        nodes.append(Engine([find_redis().path, "--port", str(port), *options, *own], place, port).start())
    _join([Redis(port=node.port) for node in nodes])
    return nodes


def _join(clients: Sequence[Redis]) -> None:
    share = -(-SLOTS // len(clients))
    for number, client in enumerate(clients):
        _cluster(client, "ADDSLOTS", *range(number * share, min(SLOTS, (number + 1) * share)))
        _cluster(client, "SET-CONFIG-EPOCH", number + 1)
    for client in clients[1:]:
        _cluster(client, "MEET", "127.0.0.1", clients[0].get_connection_kwargs()["port"])
    deadline = time.monotonic() + START_SECONDS
    while not all(_is_whole(client, len(clients)) for client in clients):
        assert time.monotonic() < deadline, "the nodes do not find each other"
        time.sleep(0.05)
    for client in clients:
        client.close()


def _cluster(client: Redis, *command: str | int) -> None:
    client.execute_command("CLUSTER", *command)  # type: ignore[no-untyped-call]


def _is_whole(client: Redis, nodes: int) -> bool:
    info = client.cluster("INFO")
    return bool(info["cluster_state"] == "ok" and int(info["cluster_known_nodes"]) == nodes)
