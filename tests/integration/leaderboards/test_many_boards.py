"""Repair looks at every board every few seconds, however many there are."""

from typing import Any

import pytest

from laurel_server.domain.boards import BoardKey
from laurel_server.leaderboards.board_fill import BoardFill
from laurel_server.leaderboards.placement import Placement
from laurel_server.leaderboards.projection import Projection
from laurel_server.redis.keys import MARKER, board_keys
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import WEEK, rest_repair

BOARDS = [BoardKey(f"segment:{number}", WEEK) for number in range(1000)]


async def test_what_is_lost_of_many_boards_is_found_in_a_few_calls(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rest_repair(parts, monkeypatch)
    projection = Projection(parts.redis, 5, parts.maintenance.catalogue)
    await projection.apply([Placement("ann", 7, {WEEK: (5, 1)}, tuple(BOARDS))], set(BOARDS))
    fill = BoardFill(parts.pool, parts.redis, projection, parts.maintenance.catalogue, 100)
    assert await fill.are_whole(BOARDS) == [True] * 1000

    await parts.redis.call("DEL", *board_keys(BOARDS[0]))
    await parts.redis.call("HDEL", board_keys(BOARDS[299]).members, MARKER)
    await parts.redis.call("ZADD", board_keys(BOARDS[300]).standings, 1, "bob")
    await parts.redis.call("SET", board_keys(BOARDS[650]).standings, "text")
    await parts.redis.call("SET", board_keys(BOARDS[999]).members, "text")
    calls, real = [], parts.redis.call

    async def counting(*command: Any) -> Any:
        calls.append(command[0])
        return await real(*command)

    monkeypatch.setattr(parts.redis, "call", counting)
    whole = await fill.are_whole(BOARDS)
    assert [number for number, each in enumerate(whole) if not each] == [0, 299, 300, 650, 999]
    assert len(calls) == 4
