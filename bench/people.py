"""The users of a benchmark and what they ask for, as serialized requests."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from itertools import count

import grpc

from laurel.admin.v1.admin_service_pb2 import BatchUpsertUsersRequest
from laurel.admin.v1.admin_service_pb2_grpc import AdminServiceStub
from laurel.leaderboard.v1.leaderboard_service_pb2 import (
    GetLeaderboardRequest,
    GetRankRequest,
    GetSurroundingRequest,
)
from laurel.rewards.v1.corrections_pb2 import ReverseTransactionRequest
from laurel.rewards.v1.rewards_service_pb2 import (
    AwardPointsRequest,
    BatchAwardPointsRequest,
    IngestAwardsRequest,
)
from laurel.rewards.v1.rewards_service_pb2_grpc import RewardsServiceStub
from laurel.rewards.v1.spending_pb2 import RedeemPointsRequest
from laurel.type.v1.board_pb2 import BoardRef
from laurel.type.v1.user_pb2 import User

COUNTRIES = ("US", "DE", "FR", "GB", "IN", "BR", "JP", "KE", "MX", "PL")
GLOBAL = BoardRef(scope="global")

_SEED_CHUNK = 1000
_SEED_CALLS = 4
_request_numbers = count()
_newcomers = count()


def user_id(number: int) -> str:
    """Return the id of a user; all are of one length."""
    return f"user-{number:07}"


def country(number: int) -> str:
    """Return the country of a user."""
    return COUNTRIES[number % len(COUNTRIES)]


def purchase(user: str, cents: int) -> AwardPointsRequest:
    """Return a new award for an order of so many cents; one point per 100.00."""
    return AwardPointsRequest(
        request_id=f"order-{next(_request_numbers):09}",
        user_id=user,
        action="PURCHASE",
        attributes={"order_value": f"{cents // 100}.{cents % 100:02}"},
    )


def random_purchase(people: int) -> AwardPointsRequest:
    """Return an award of 1 to 20 points for any of the users."""
    return purchase(user_id(random.randrange(people)), random.randrange(10_000, 200_000))


def awards(people: int) -> Iterator[bytes]:
    """Yield single awards without end."""
    while True:
        yield random_purchase(people).SerializeToString()


def award_batches(people: int, size: int) -> Iterator[bytes]:
    """Yield batches of awards without end."""
    while True:
        yield BatchAwardPointsRequest(
            awards=[random_purchase(people) for _ in range(size)]
        ).SerializeToString()


def poured_awards(people: int) -> Iterator[bytes]:
    """Yield awards as messages of IngestAwards without end."""
    while True:
        yield IngestAwardsRequest(award=random_purchase(people)).SerializeToString()


def redemptions(people: int) -> Iterator[bytes]:
    """Yield redemptions of one point, by any of the users, without end."""
    while True:
        yield RedeemPointsRequest(
            request_id=f"spend-{next(_request_numbers):09}",
            user_id=user_id(random.randrange(people)),
            points=1,
        ).SerializeToString()


def redemptions_of(user: str) -> Iterator[bytes]:
    """Yield redemptions of one point by one user without end."""
    while True:
        yield RedeemPointsRequest(
            request_id=f"spend-{next(_request_numbers):09}", user_id=user, points=1
        ).SerializeToString()


def reversals(transaction_ids: Sequence[str]) -> Iterator[bytes]:
    """Yield reversals of one point of any of the awards without end."""
    while True:
        yield ReverseTransactionRequest(
            request_id=f"refund-{next(_request_numbers):09}",
            transaction_id=random.choice(transaction_ids),
            points=1,
        ).SerializeToString()


def overtakers() -> Iterator[bytes]:
    """Yield awards without end, each to a new user who with it passes all who were settled.

    For no more points than that takes: tiers and badges that come with many are no part of what is measured.
    """
    while True:
        yield purchase(f"rocket-{next(_newcomers):06}", 300_000).SerializeToString()


def top_pages() -> Iterator[bytes]:
    """Yield requests for the first hundred of the global all-time board."""
    request = GetLeaderboardRequest(board=GLOBAL, page_size=100).SerializeToString()
    while True:
        yield request


def ranks(people: int) -> Iterator[bytes]:
    """Yield requests for the rank of any of the users."""
    while True:
        yield GetRankRequest(board=GLOBAL, user_id=user_id(random.randrange(people))).SerializeToString()


def surroundings(people: int) -> Iterator[bytes]:
    """Yield requests for the five above and below any of the users."""
    while True:
        user = user_id(random.randrange(people))
        yield GetSurroundingRequest(board=GLOBAL, user_id=user).SerializeToString()


async def settle(address: str, people: int) -> None:
    """Make the users known, each with a country, and give each a first award: all stand on the boards."""
    async with grpc.aio.insecure_channel(address) as channel:
        await _in_chunks(people, partial(_introduce, AdminServiceStub(channel)))
        await _in_chunks(people, partial(_reward, RewardsServiceStub(channel)))


async def enrich(address: str, people: int, points: int) -> list[str]:
    """Give each user one more award of so many points; returns the ids of these transactions."""
    made: list[str] = []

    async def reward(numbers: range) -> None:
        made.extend(await give(RewardsServiceStub(channel), [user_id(number) for number in numbers], points))

    async with grpc.aio.insecure_channel(address) as channel:
        await _in_chunks(people, reward)
    return made


async def give(rewards: RewardsServiceStub, users: Sequence[str], points: int) -> list[str]:
    """Make an award of so many points for each of at most 1,000 users, who may repeat; returns transaction ids."""
    awards = [purchase(user, points * 10_000) for user in users]
    answer = await rewards.BatchAwardPoints(BatchAwardPointsRequest(awards=awards))
    refused = [result.error for result in answer.results if result.HasField("error")]
    if refused:
        raise RuntimeError(f"{len(refused)} of {len(awards)} awards were refused: {refused[0].message}")
    return [result.award.transaction.transaction_id for result in answer.results]


async def _in_chunks(people: int, work: Callable[[range], Awaitable[None]]) -> None:
    chunks = iter([range(start, min(start + _SEED_CHUNK, people)) for start in range(0, people, _SEED_CHUNK)])

    async def worker() -> None:
        for chunk in chunks:
            await work(chunk)

    await asyncio.gather(*(worker() for _ in range(_SEED_CALLS)))


async def _introduce(admin: AdminServiceStub, numbers: range) -> None:
    users = [
        User(user_id=user_id(number), username=f"User {number}", country=country(number))
        for number in numbers
    ]
    await admin.BatchUpsertUsers(BatchUpsertUsersRequest(users=users))


async def _reward(rewards: RewardsServiceStub, numbers: range) -> None:
    awards = [purchase(user_id(number), random.randrange(10_000, 200_000)) for number in numbers]
    answer = await rewards.BatchAwardPoints(BatchAwardPointsRequest(awards=awards))
    refused = [result.error for result in answer.results if result.HasField("error")]
    if refused:
        raise RuntimeError(f"{len(refused)} of {len(awards)} first awards were refused: {refused[0].message}")
