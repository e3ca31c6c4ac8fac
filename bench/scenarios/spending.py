"""Points spent and taken back: at full load, and by who has very many lots."""

from collections.abc import Iterator

import grpc

from bench import people
from bench.laurel import REDEEM, REVERSE, Laurel
from bench.load.unary import closed_loop
from bench.rounds import Goal, Row, compared, in_turn
from bench.scenarios.award import IN_FLIGHT
from bench.workbench import Workbench, call
from laurel.rewards.v1.rewards_service_pb2_grpc import RewardsServiceStub

FUNDS = 500
"""Points that each user gets to spend: more than the rounds take from anybody."""

FEW_LOTS, MANY_LOTS = 10, 10_000
_BATCH = 1000


async def redeem(bench: Workbench) -> list[Row]:
    """256 redemptions in flight, against a bare echo of messages of that size."""
    laurel = await bench.laurel()
    await people.enrich(laurel.address, bench.options.people, FUNDS)
    requests = people.redemptions(bench.options.people)
    return [await _against_echo(bench, laurel, "redeem", REDEEM, "RedeemPoints", requests)]


async def reverse(bench: Workbench) -> list[Row]:
    """256 partial reversals in flight, against a bare echo of messages of that size."""
    laurel = await bench.laurel()
    requests = people.reversals(await people.enrich(laurel.address, bench.options.people, FUNDS))
    return [await _against_echo(bench, laurel, "reverse", REVERSE, "ReverseTransaction", requests)]


async def _against_echo(
    bench: Workbench, laurel: Laurel, name: str, path: str, echo_method: str, requests: Iterator[bytes]
) -> Row:
    target, seconds = laurel.method(path), bench.options.seconds
    echo = await bench.echo(echo_method, await call(target, next(requests)))
    echoed, ours = await in_turn(
        bench.options.rounds,
        lambda: closed_loop(echo, requests, IN_FLIGHT, seconds),
        lambda: laurel.costing(closed_loop(target, requests, IN_FLIGHT, seconds)),
    )
    return compared(f"{name}, 256 in flight", "bare echo", "rate", (echoed, ours), Goal(0.6))


async def lots(bench: Workbench) -> list[Row]:
    """One redemption at a time, by a user with 10,000 open lots against one with 10."""
    laurel, seconds = await bench.laurel(), bench.options.seconds
    target = laurel.method(REDEEM)
    await _give_lots(laurel, "lots-few", FEW_LOTS, 100_000)
    await _give_lots(laurel, "lots-many", MANY_LOTS, 100)
    few, many = people.redemptions_of("lots-few"), people.redemptions_of("lots-many")
    floor, ours = await in_turn(
        bench.options.rounds,
        lambda: laurel.costing(closed_loop(target, few, 1, seconds)),
        lambda: laurel.costing(closed_loop(target, many, 1, seconds)),
    )
    return [
        compared("redeem from 10,000 lots", "from 10 lots", "p50_ms", (floor, ours), Goal(3, at_most=True))
    ]


async def _give_lots(laurel: Laurel, user: str, count: int, points: int) -> None:
    async with grpc.aio.insecure_channel(laurel.address) as channel:
        for at in range(0, count, _BATCH):
            await people.give(RewardsServiceStub(channel), [user] * min(_BATCH, count - at), points)
