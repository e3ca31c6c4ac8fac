"""The engines of a stack: started here, or found where the environment says they are."""

from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from laurel_server.devstack.binaries import Version, find_envoy, find_postgres, find_redis, version_tuple
from laurel_server.devstack.clickhouse import EmbeddedClickHouse, library_version, require_library
from laurel_server.devstack.datadir import DataDir
from laurel_server.devstack.envoy import EmbeddedEnvoy
from laurel_server.devstack.errors import DevstackError
from laurel_server.devstack.gateway import GatewayOptions
from laurel_server.devstack.identity import Identity, choose_identity
from laurel_server.devstack.ports import reserved
from laurel_server.devstack.postgres import EmbeddedPostgres
from laurel_server.devstack.reaper import Reaper
from laurel_server.devstack.redis import EmbeddedRedis
from laurel_server.devstack.supervisor import Supervisor
from laurel_server.postgres import connection
from laurel_server.redis import probe

# MERGE and unique constraints that treat nulls as equal; the command set that the scripts keep to.
_MIN_POSTGRES: Final[Version] = (15,)
_MIN_REDIS: Final[Version] = (6, 2)

_LOOPBACK: Final = "127.0.0.1"
_FIRST_ORDINARY_PORT: Final = 1024  # root alone listens below


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that answers."""

    name: str
    version: str
    place: str
    """Where it is, for people; without secrets."""
    address: str
    """For every client on this machine."""
    server_address: str
    """For the server, by the shortest way."""


class Engines:
    """Makes the engines available, embedded ones under the supervisor."""

    def __init__(self, data: DataDir, reaper: Reaper, supervisor: Supervisor, held: ExitStack) -> None:
        self.data = data
        self._reaper = reaper
        self._supervisor = supervisor
        self._held = held

    async def postgres(self, pg_dsn: str | None, pg_bin: Path | None) -> Engine:
        """Returns the PostgreSQL at the DSN, or an embedded one that holds an own database.

        Raises DevstackError if it cannot be had.
        """
        if pg_dsn is not None:
            return await external_postgres(pg_dsn)
        program = find_postgres(pg_bin)
        identity = choose_identity(program.path, self.data.engine(EmbeddedPostgres.name))
        endpoint = self._held.enter_context(reserved(_LOOPBACK))
        postgres = EmbeddedPostgres(program, self.data, identity, endpoint, self._reaper)
        await self._supervisor.start(postgres)
        await postgres.provision()
        return Engine(
            "PostgreSQL", program.version_text, f"{endpoint} (embedded)", postgres.dsn, postgres.fast_dsn
        )

    async def redis(self, redis_url: str | None, *, cluster: bool) -> Engine:
        """Returns the Redis at the URL, or an embedded one; raises DevstackError if it cannot be had."""
        if redis_url is not None:
            return await external_redis(redis_url, cluster=cluster)
        program = find_redis()
        identity = choose_identity(program.path, self.data.engine(EmbeddedRedis.name))
        endpoint = self._held.enter_context(reserved(_LOOPBACK))
        redis = EmbeddedRedis(program, self.data, identity, endpoint)
        await self._supervisor.start(redis)
        return Engine("Redis", program.version_text, f"{endpoint} (embedded)", redis.url, redis.fast_url)

    async def gateway(self, options: GatewayOptions, threads: int) -> Engine:
        """Returns an Envoy in front of the servers; raises DevstackError if it cannot be had."""
        program = find_envoy()
        directory = self.data.engine(EmbeddedEnvoy.name)
        low = options.listen.port < _FIRST_ORDINARY_PORT
        identity = Identity() if low else choose_identity(program.path, directory)
        envoy = EmbeddedEnvoy(program, self.data, identity, options, threads)
        try:
            await self._supervisor.start(envoy)
        except DevstackError:
            self._supervisor.abandon(envoy.name)
            raise
        address = str(options.listen)
        return Engine("Envoy", program.version_text, f"{address} (embedded)", address, address)

    async def clickhouse(self) -> Engine:
        """Returns an embedded ClickHouse; raises DevstackError if its library is not installed."""
        require_library()
        clickhouse = EmbeddedClickHouse(self.data, self._held.enter_context(reserved(_LOOPBACK)))
        await self._supervisor.start(clickhouse)
        place = f"{clickhouse.endpoint} (embedded)"
        return Engine("ClickHouse", library_version(), place, clickhouse.url, clickhouse.url)


async def external_postgres(dsn: str) -> Engine:
    """Returns the PostgreSQL at the DSN; raises DevstackError if it does not answer or is too old."""
    return await _external("PostgreSQL", "LAUREL_PG_DSN", dsn, connection.server_version, _MIN_POSTGRES)


async def external_redis(url: str, *, cluster: bool) -> Engine:
    """Returns the Redis at the URL.

    Raises DevstackError if it does not answer, is too old, or is not a node of a cluster as `cluster` says.
    """

    async def version(url: str) -> str:
        server = await probe.look_at(url)
        if server.is_cluster != cluster:
            mode = "a node of a cluster" if server.is_cluster else "not a node of a cluster"
            wanted = "set LAUREL_REDIS_CLUSTER=1" if server.is_cluster else "unset LAUREL_REDIS_CLUSTER"
            raise DevstackError(f"LAUREL_REDIS_URL: the Redis is {mode}; {wanted}")
        return server.version

    return await _external("Redis", "LAUREL_REDIS_URL", url, version, _MIN_REDIS)


async def _external(
    name: str, variable: str, address: str, ask: Callable[[str], Awaitable[str]], minimum: Version
) -> Engine:
    try:
        version = await ask(address)
    except OSError as error:
        raise DevstackError(f"{variable}: {name} does not answer: {error}") from error
    except ValueError:  # its text may quote the password
        raise DevstackError(f"{variable} is not the address of a {name}") from None
    wanted = ".".join(map(str, minimum))
    if version_tuple(version) < minimum:
        raise DevstackError(f"{variable}: {name} {version} is too old; Laurel needs {wanted} or newer")
    return Engine(name, version, f"external ({variable})", address, address)
