"""Statements: a page of the newest entries, and all of a short statement, against a page a million entries down."""

from collections.abc import Iterator
from itertools import repeat

import asyncpg
import grpc

from bench import people
from bench.laurel import LIST_TRANSACTIONS, Laurel
from bench.load.unary import closed_loop
from bench.rounds import Goal, Row, compared, in_turn
from bench.workbench import Workbench
from laurel.rewards.v1.rewards_service_pb2 import ListTransactionsRequest
from laurel.rewards.v1.rewards_service_pb2_grpc import RewardsServiceStub

LONG, SHORT = "statement-long", "statement-short"
ENTRIES = 1_000_000
PAGE, LARGEST_PAGE = 50, 1000
_TEN = 10
_FREE = 1_000_000  # as far behind the two awards' own ids begin those of their copies

# The entry of the one award over and over, under the ids that follow. It is not in the chain, as nobody verifies here.
_COPY = """
    INSERT INTO reward_transactions
    SELECT (jsonb_populate_record(t, jsonb_build_object('transaction_id', t.transaction_id + n))).*
      FROM reward_transactions t CROSS JOIN generate_series($1::bigint, $2::bigint) AS n
     WHERE t.user_no = (SELECT user_no FROM users WHERE user_id = $3)
"""


async def depth(bench: Workbench) -> list[Row]:
    """One page at a time: at row 10 and at row 1,000,000 of one statement, and a statement that is one page long.

    Where a page had to be sorted out of the whole statement, both pages of the long one would take equally long.
    """
    laurel, seconds = await bench.laurel(), bench.options.seconds
    target = laurel.method(LIST_TRANSACTIONS)
    await _fill(laurel)
    near, far = await _pages(laurel)
    short = repeat(_request(SHORT, "", PAGE).SerializeToString())
    at_ten, whole, far_down = await in_turn(
        bench.options.rounds,
        lambda: laurel.costing(closed_loop(target, near, 1, seconds)),
        lambda: laurel.costing(closed_loop(target, short, 1, seconds)),
        lambda: laurel.costing(closed_loop(target, far, 1, seconds)),
    )
    return [
        compared("statement at row 1,000,000", name, "p50_ms", (floor, far_down), Goal(1.15, at_most=True))
        for name, floor in (("at row 10", at_ten), ("one page long", whole))
    ]


async def _fill(laurel: Laurel) -> None:
    async with grpc.aio.insecure_channel(laurel.address) as channel:
        await people.give(RewardsServiceStub(channel), [LONG, SHORT], 1)
    connection = await asyncpg.connect(laurel.pg_dsn)
    try:
        await connection.execute(_COPY, _FREE, _FREE + ENTRIES + PAGE - 1, LONG)
        await connection.execute(_COPY, 3 * _FREE, 3 * _FREE + PAGE - 2, SHORT)
        await connection.execute("VACUUM ANALYZE reward_transactions")
    finally:
        await connection.close()


async def _pages(laurel: Laurel) -> tuple[Iterator[bytes], Iterator[bytes]]:
    """Walk down the statement; return requests for the page at row 10 and for that at row 1,000,000."""
    async with grpc.aio.insecure_channel(laurel.address) as channel:
        rewards = RewardsServiceStub(channel)
        near = token = await _next(rewards, "", _TEN)
        for at in range(_TEN, ENTRIES, LARGEST_PAGE):
            token = await _next(rewards, token, min(LARGEST_PAGE, ENTRIES - at))
    return _again(near), _again(token)


async def _next(rewards: RewardsServiceStub, token: str, size: int) -> str:
    return (await rewards.ListTransactions(_request(LONG, token, size))).next_page_token


def _again(token: str) -> Iterator[bytes]:
    return repeat(_request(LONG, token, PAGE).SerializeToString())


def _request(user_id: str, token: str, size: int) -> ListTransactionsRequest:
    return ListTransactionsRequest(user_id=user_id, page_size=size, page_token=token)
