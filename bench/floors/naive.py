"""A server that makes each award by itself: `python -m bench.floors.naive`.

One transaction of three statements through a pool of connections, then one pipeline that moves the user on as
many boards as Laurel does and asks for his rank before and after: what most services do.
BENCH_PG_DSN and BENCH_REDIS_URL name the engines.
"""

import os
from typing import Any

import asyncpg
import grpc
import orjson
import uvloop
from redis.asyncio import Redis

from bench.floors.serving import serve
from laurel.rewards.v1.rewards_pb2 import Transaction, UserRewards
from laurel.rewards.v1.rewards_service_pb2 import AwardPointsRequest, AwardPointsResponse
from laurel.type.v1.board_pb2 import BoardRank, BoardRef

BOARDS = (
    *("global:day", "global:week", "global:month", "global:all"),
    *("country:week", "country:all", "tier:week", "tier:all"),
)

_INSERT_ENTRY = """
    INSERT INTO bench.entries (request_id, user_id, action, points) VALUES ($1, $2, $3, $4)
    RETURNING entry_id"""
_UPDATE_BALANCE = """
    UPDATE bench.balances
    SET balance = balance + $2, lifetime_points = lifetime_points + $2, updated_at = now()
    WHERE user_id = $1 RETURNING balance, lifetime_points"""
_INSERT_EVENT = "INSERT INTO bench.outbox (topic, payload) VALUES ('rewards.earned', $1)"


class Naive:
    """The one method."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", redis: "Redis") -> None:
        self._pool = pool
        self._redis = redis

    async def award(self, request: AwardPointsRequest, context: object) -> AwardPointsResponse:
        """Make one award."""
        del context
        points = int(float(request.attributes["order_value"]) * 0.01)
        user_no = int(request.user_id.rpartition("-")[2])
        async with self._pool.acquire() as connection, connection.transaction():
            entry = await connection.fetchval(
                _INSERT_ENTRY, request.request_id, user_no, request.action, points
            )
            balance = await connection.fetchrow(_UPDATE_BALANCE, user_no, points)
            event = orjson.dumps({"user_id": request.user_id, "points": points}).decode()
            await connection.execute(_INSERT_EVENT, event)
        assert balance is not None, "balances are made for all users"
        return AwardPointsResponse(
            transaction=Transaction(
                transaction_id=str(entry),
                request_id=request.request_id,
                user_id=request.user_id,
                action=request.action,
                points=points,
            ),
            rewards=UserRewards(
                user_id=request.user_id,
                total_points=balance["balance"],
                lifetime_points=balance["lifetime_points"],
            ),
            ranks=await self._move(request.user_id, points),
        )

    async def _move(self, user_id: str, points: int) -> list[BoardRank]:
        pipeline: Any = self._redis.pipeline(transaction=False)
        for board in BOARDS:
            key = f"bench:{board}"
            pipeline.zrevrank(key, user_id)
            pipeline.zincrby(key, points, user_id)
            pipeline.zrevrank(key, user_id)
            pipeline.zcard(key)
        answers: list[Any] = await pipeline.execute()
        return [
            BoardRank(
                board=BoardRef(scope=board),
                rank=answers[at + 2] + 1,
                previous_rank=0 if answers[at] is None else answers[at] + 1,
                score=int(answers[at + 1]),
                total=answers[at + 3],
            )
            for at, board in zip(range(0, 4 * len(BOARDS), 4), BOARDS, strict=True)
        ]


async def main() -> None:
    """Serve awards."""
    redis = Redis.from_url(os.environ["BENCH_REDIS_URL"])
    async with asyncpg.create_pool(os.environ["BENCH_PG_DSN"], min_size=8, max_size=8) as pool:
        method = grpc.unary_unary_rpc_method_handler(
            Naive(pool, redis).award,
            request_deserializer=AwardPointsRequest.FromString,
            response_serializer=AwardPointsResponse.SerializeToString,
        )
        await serve({"AwardPoints": method})
    await redis.aclose()


if __name__ == "__main__":
    uvloop.run(main())
