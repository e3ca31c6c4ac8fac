"""Size caps of score boards that are exceeded without a newcomer: by a lower cap, or a user who is shown again."""

from collections.abc import Iterable
from datetime import tzinfo

import structlog

from laurel_server.domain.board_configs import BoardConfig
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.clock import Clock
from laurel_server.domain.resets import reset_period
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.repair import Confirmations
from laurel_server.leaderboards.seating import Seating, seat
from laurel_server.postgres import scores
from laurel_server.postgres.errors import UNAVAILABLE
from laurel_server.postgres.pool import Pool
from laurel_server.postgres.scores import Instance
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.errors import RedisUnavailable
from laurel_server.rewards.batch_items import BATCH_NUMBERS

log = structlog.get_logger()


class SizeCaps:
    """Drops those for whom the cap of a board leaves no room, the last first, with their scores.

    Each batch of scores does so too. So what fails here is made up for by the next score of the board.
    """

    def __init__(
        self,
        pool: Pool,
        redis: RedisConnection,
        catalogue: Catalogue,
        clock: Clock,
        zone: tzinfo,
        confirmations: Confirmations,
    ) -> None:
        self._pool = pool
        self._redis = redis
        self._catalogue = catalogue
        self._clock = clock
        self._zone = zone
        self._confirmations = confirmations

    async def hold(self, board_ids: Iterable[str]) -> None:
        """Drop who is beyond the caps of these boards in their present periods; what has no cap stays as it is."""
        for config in map(self._catalogue.score_board, sorted(board_ids)):
            if config is not None and config.max_entries:
                try:
                    await self._hold(config)
                except (RedisUnavailable, *UNAVAILABLE) as away:
                    log.warning("scores.cap_postponed", board=config.board_id, error=type(away).__name__)

    async def _hold(self, config: BoardConfig) -> None:
        board = BoardKey(config.board_id, reset_period(config.reset_cron, self._clock.now(), self._zone).id)
        batch_no, off = await self._trim(config, board)
        if not off:
            return
        with self._confirmations.carrying(batch_no):
            versions = await scores.dropped(self._pool, {(board, user_id): off[user_id] for user_id in off})
            seating = Seating(config.traits, off=[(user_id, versions[board, user_id]) for user_id in off])
            await seat(self._redis, {board: seating}, ranked=False, tell=True)
            self._confirmations.confirm(batch_no)

    async def _trim(self, config: BoardConfig, board: BoardKey) -> tuple[int, dict[str, int]]:
        """Drop the last ones in the ledger, and return the batch that did so and who is off as of which version."""
        instance = Instance(config.board_no, board.period_id)
        async with self._pool.acquire() as connection, connection.transaction():
            await scores.lock(connection, [instance])
            dropped = await scores.trim(connection, instance, config.max_entries, config.sort_order)
            if not dropped:
                return 0, {}
            batch_no = await scores.draw_batch(connection)
            off = {user_id: max(batch_no * BATCH_NUMBERS, version + 1) for user_id, version in dropped}
            await scores.note_removal(connection, batch_no, board, off, self._clock.now())
            return batch_no, off
