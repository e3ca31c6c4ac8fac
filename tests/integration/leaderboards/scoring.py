"""Boards of scores, as tests make them and report to them."""

from itertools import count
from typing import Any

import pytest

from laurel_server.domain.board_configs import BoardConfig, BoardKind
from laurel_server.domain.boards import Visibility
from laurel_server.domain.commands import RequestKey
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.people import Order
from laurel_server.domain.ranks import Pair
from laurel_server.domain.scores import ScoreAnswer, ScoreCommand
from laurel_server.runtime.wiring import Parts

_numbers = count()


async def board(parts: Parts, board_id: str = "race", **more: Any) -> str:
    """Create a score board."""
    config = BoardConfig(board_id, BoardKind.SCORES, board_id, **more)
    await parts.boards.create(config, RequestKey("tests", f"board {next(_numbers)}", b""))
    return board_id


def command(user_id: str, score: int = 0, sub_score: int = 0, **more: Any) -> ScoreCommand:
    fields: dict[str, Any] = {"scope": "race", "period_id": "", "metadata": {}, **more}
    request_id = fields.pop("request_id", f"score {next(_numbers)}")
    body = repr((user_id, score, sub_score, sorted(fields.items(), key=str))).encode()
    return ScoreCommand(
        family="UpdateScore",
        caller="tests",
        request_id=request_id,
        request_hash=body[:200],
        user_id=user_id,
        pair=Pair(score, sub_score),
        **fields,
    )


async def report(parts: Parts, user_id: str, score: int = 0, sub_score: int = 0, **more: Any) -> ScoreAnswer:
    return await parts.scores.do(command(user_id, score, sub_score, **more), None)


async def remove(parts: Parts, user_id: str, **more: Any) -> bool:
    return (await report(parts, user_id, is_removal=True, **more)).updated


async def lines(parts: Parts, board_id: str = "race", period_id: str = "") -> list[tuple[int, str, int, int]]:
    found = await parts.queries.find(board_id, None, period_id)
    page = await parts.queries.page(found, "", 1000)
    return [(line.rank, line.user_id, line.score, line.sub_score) for line in page.lines]


async def see(parts: Parts, user_id: str, visibility: Visibility) -> None:
    number = f"see {next(_numbers)}"
    order = Order(user_id, number, number.encode().ljust(16), b"", "tests")
    await parts.people.set_visibility(order, visibility)


async def refusal(work: Any) -> Reason:
    with pytest.raises(LaurelError) as caught:
        await work
    return caught.value.reason


async def kept(parts: Parts) -> set[str]:
    """Return who has a score in the ledger."""
    return {row[0] for row in await parts.pool.fetch("SELECT user_id FROM scores JOIN users USING (user_no)")}
