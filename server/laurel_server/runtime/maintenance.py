"""What operators ask of a server: rebuild, verify, and what it is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from laurel_server import __version__
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.errors import LaurelError
from laurel_server.domain.views import Board, Check, RebuildReport
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.errors import BoardsUnavailable
from laurel_server.leaderboards.reading import rebuilding
from laurel_server.leaderboards.rebuild import Rebuild
from laurel_server.postgres.errors import UNAVAILABLE
from laurel_server.postgres.pool import Pool
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.errors import RedisUnavailable
from laurel_server.runtime.config import Settings
from laurel_server.runtime.redaction import redacted
from laurel_server.runtime.verifying import Pauses, verify


class Engine(NamedTuple):
    """An engine in use; `version` is empty if it did not answer."""

    name: str
    version: str
    reachable: bool


class ServerInfo(NamedTuple):
    """The state of the process."""

    version: str
    started_at: datetime
    engines: Sequence[Engine]
    config: dict[str, str]


@dataclass(slots=True)
class Maintenance:
    """The maintenance of one process."""

    settings: Settings
    pool: Pool
    redis: RedisConnection
    rebuilder: Rebuild
    catalogue: Catalogue
    started_at: datetime

    async def rebuild(self, board: Board | None) -> RebuildReport:
        """Fill one board, or all, from the ledger anew. BOARDS_REBUILDING when Redis goes away meanwhile."""
        try:
            return await self.rebuilder.run(None if board is None else [board.key])
        except BoardsUnavailable as away:
            raise _away(board) from away

    async def verify(self, scope: str) -> Sequence[Check]:
        """Compare what must be equal: `ledger`, `chain`, `boards`, or "" for all."""
        return await verify(self.pool, self.redis, self.catalogue, scope)

    async def verify_calmly(self) -> Sequence[Check]:
        """Compare all that must be equal, and leave most of the time to those who wait for answers."""
        return await verify(self.pool, self.redis, self.catalogue, "", Pauses())

    async def server_info(self) -> ServerInfo:
        """Return version, engines and settings without secrets."""
        engines = [await self._postgresql(), await self._redis()]
        config = {
            f"{part}.{name}": str(value)
            for part, values in redacted(self.settings).items()
            for name, value in values.items()
        }
        return ServerInfo(__version__, self.started_at, engines, config)

    async def _postgresql(self) -> Engine:
        try:
            version: str = await self.pool.fetchval("SHOW server_version")
        except UNAVAILABLE:
            return Engine("postgresql", "", reachable=False)
        return Engine("postgresql", version.partition(" ")[0], reachable=True)

    async def _redis(self) -> Engine:
        try:
            info: bytes = await self.redis.call("INFO", "server")
        except RedisUnavailable:
            return Engine("redis", "", reachable=False)
        fields = dict(line.partition(b":")[::2] for line in info.splitlines())
        return Engine("redis", fields[b"redis_version"].decode(), reachable=True)


def _away(board: Board | None) -> LaurelError:
    return rebuilding(BoardKey("", "") if board is None else board.key)


def now() -> datetime:
    """Return the machine's time: processes start in it, whatever the business clock says."""
    return datetime.now(UTC)
