"""The reads that pages make most: the top hundred, a user's rank, and who stands around him."""

from collections.abc import Iterator

from bench import people
from bench.laurel import GET_LEADERBOARD, GET_RANK, GET_SURROUNDING
from bench.load.unary import closed_loop
from bench.rounds import Goal, Row, compared, in_turn
from bench.workbench import Workbench, call

IN_FLIGHT = 64

KNOWN_SECONDS = 5.0
"""Calls before the first turn: what people are shown as is then in memory, as in a server that has run for a minute."""


async def top(bench: Workbench) -> list[Row]:
    """The cached first hundred, against a bare echo of the same bytes."""
    goal = Goal(0.95)
    return [await _against_echo(bench, "cached top 100", GET_LEADERBOARD, "Raw", people.top_pages(), goal)]


async def rank(bench: Workbench) -> list[Row]:
    """A user's rank, against a bare echo of messages of that size."""
    requests = people.ranks(bench.options.people)
    return [await _against_echo(bench, "rank", GET_RANK, "GetRank", requests, Goal(0.8))]


async def surrounding(bench: Workbench) -> list[Row]:
    """A user and five above and below him, against a bare echo of messages of that size."""
    requests = people.surroundings(bench.options.people)
    return [await _against_echo(bench, "surrounding", GET_SURROUNDING, "GetSurrounding", requests, Goal(0.7))]


async def _against_echo(
    bench: Workbench, name: str, path: str, echo_method: str, requests: Iterator[bytes], goal: Goal
) -> Row:
    target, seconds = (await bench.laurel()).method(path), bench.options.seconds
    await closed_loop(target, requests, IN_FLIGHT, KNOWN_SECONDS)
    echo = await bench.echo(echo_method, await call(target, next(requests)))
    echoed, ours = await in_turn(
        bench.options.rounds,
        lambda: closed_loop(echo, requests, IN_FLIGHT, seconds),
        lambda: closed_loop(target, requests, IN_FLIGHT, seconds),
    )
    return compared(name, "bare echo", "rate", (echoed, ours), goal)
