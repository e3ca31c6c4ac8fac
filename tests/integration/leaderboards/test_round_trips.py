"""How often what one caller asks for waits for Redis."""

from collections.abc import Awaitable
from typing import Any

import pytest

from laurel_server.domain.board_configs import BoardConfig, BoardKind
from laurel_server.domain.boards import TiePolicy
from laurel_server.domain.commands import RequestKey
from laurel_server.domain.ranks import Pair
from laurel_server.domain.scores import ScoreAnswer, ScoreCommand
from laurel_server.domain.views import ScoreRange
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import board_at, give, rest_repair

USERS = [f"user-{number}" for number in range(700)]


class RoundTrips:
    """Counts the calls of scripts on boards, and how often one of them began when none was on its way."""

    def __init__(self, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = self.trips = self._on_their_way = 0
        self._send = parts.redis.call
        monkeypatch.setattr(parts.redis, "call", self._count)

    async def _count(self, *command: Any) -> Any:
        if not any(str(part).startswith("{leaderboard") for part in command):
            return await self._send(*command)
        self.calls += 1
        self.trips += not self._on_their_way
        self._on_their_way += 1
        try:
            return await self._send(*command)
        finally:
            self._on_their_way -= 1

    async def of(self, work: Awaitable[Any]) -> tuple[int, int]:
        """Return how many calls and round trips some work takes."""
        self.calls = self.trips = 0
        await work
        return self.calls, self.trips


@pytest.fixture
async def trips(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> RoundTrips:
    """Counts what a server sends whose repair rests."""
    await rest_repair(parts, monkeypatch)
    for board_id, policy in {"one": TiePolicy.EARLIEST_FIRST, "two": TiePolicy.DENSE}.items():
        config = BoardConfig(board_id, BoardKind.SCORES, board_id, tie_policy=policy)
        await parts.boards.create(config, RequestKey("tests", board_id, b""))
    await parts.scores.do_batch([score("warm-up", "one"), score("warm-up", "two")], None)
    await give(parts, "user-1", 5)
    await parts.queries.places(board_at(parts), ["user-1"])  # Redis knows the scripts from now on
    return RoundTrips(parts, monkeypatch)


def score(user_id: str, board_id: str) -> ScoreCommand:
    return ScoreCommand(
        family="BatchUpdateScores",
        caller="tests",
        request_id=f"{board_id} {user_id}",
        request_hash=b"",
        scope=board_id,
        period_id="",
        user_id=user_id,
        pair=Pair(len(user_id)),
        metadata={},
    )


async def test_a_thousand_scores_take_one_round_trip_to_each_board(parts: Parts, trips: RoundTrips) -> None:
    commands = [score(user_id, board_id) for user_id in USERS[:500] for board_id in ("one", "two")]
    answers: list[Any] = []

    async def report() -> None:
        answers.extend(await parts.scores.do_batch(commands, None))

    calls, round_trips = await trips.of(report())
    assert all(isinstance(each, ScoreAnswer) and each.updated for each in answers)
    assert round_trips == 1
    assert calls <= 6  # three parts a board, each of which holds Redis for a moment


async def test_reads_take_one_round_trip(parts: Parts, trips: RoundTrips) -> None:
    await parts.scores.do_batch([score(user_id, "one") for user_id in USERS], None)
    board, missing = await parts.queries.find("one", None, ""), [f"nobody-{n}" for n in range(300)]
    queries = parts.queries
    await queries.surrounding(board, "user-7", 5)
    await queries.count(board, ScoreRange(5, 6))
    assert await trips.of(queries.places(board, [*USERS, *missing])) == (1, 1)
    assert await trips.of(queries.page(board, "", 1000)) == (1, 1)
    assert await trips.of(queries.page(board, "", 10, ScoreRange(5, 6))) == (1, 1)
    assert await trips.of(queries.count(board, ScoreRange(5, 6))) == (1, 1)
    assert await trips.of(queries.place(board, "user-7")) == (1, 1)
    assert await trips.of(queries.surrounding(board, "user-7", 5)) == (1, 1)


async def test_all_boards_of_a_user_are_read_together(parts: Parts, trips: RoundTrips) -> None:
    places = await parts.queries.all_places("user-1")
    assert await trips.of(parts.queries.all_places("user-1")) == (len(places), 1)
    assert {place.board.key.scope for place in places} == {"global", "tier:bronze"}
