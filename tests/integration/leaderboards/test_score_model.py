"""Score boards of every kind against a brute force model of them."""

import random
from contextlib import suppress
from functools import partial
from itertools import count, product

import pytest

from laurel_server.domain.board_configs import ScoreOperator
from laurel_server.domain.boards import SortOrder, TiePolicy
from laurel_server.domain.errors import LaurelError
from laurel_server.domain.ledger import RankState
from laurel_server.runtime.wiring import Parts
from tests.integration.leaderboards.scoring import board, lines, remove, report
from tests.integration.wired import until
from tests.oracle.board import BruteForceBoard

KINDS = [
    kind
    for kind in product(ScoreOperator, SortOrder, TiePolicy, (1, 3))
    if kind[2:] != (TiePolicy.DENSE, 3)  # stays in one piece
]


@pytest.mark.parametrize(("operator", "order", "policy", "slots"), KINDS, ids=str)
async def test_boards_equal_brute_force(
    parts: Parts, operator: ScoreOperator, order: SortOrder, policy: TiePolicy, slots: int
) -> None:
    cap = 6 if policy is TiePolicy.DENSE or slots > 1 else 0
    await board(parts, operator=operator, sort_order=order, tie_policy=policy, max_entries=cap, slots=slots)
    found = await parts.queries.find("race", None, "")
    dice, model = random.Random(f"{operator} {order} {policy} {slots}"), BruteForceBoard(found.traits)
    users = [f"user-{number}" for number in range(9)]
    for moment in count(1):
        user_id = dice.choice(users)
        if dice.random() < 0.15:
            if await parts.pool.fetchval("SELECT EXISTS (SELECT 1 FROM users WHERE user_id = $1)", user_id):
                assert await remove(parts, user_id) == (model.standings.pop(user_id, None) is not None)
            continue
        new = (dice.randint(-2, 2), dice.randint(-1, 1))
        answer = await report(parts, user_id, *new)
        expected = model.report(user_id, new, operator, moment, cap)
        assert answer.updated == expected
        if answer.rank_state is RankState.PENDING:  # the machine is busy: repair brings it there
            await until(partial(agree, parts, model), "the board follows")
        elif user_id in model.standings:
            assert answer.rank.rank == model.row(user_id).rank
        else:
            assert answer.rank_state is RankState.NOT_RANKED
        if moment % 10 == 0:
            assert await agree(parts, model)
        if moment > 60:
            break
    await parts.maintenance.rebuild(None)
    assert await agree(parts, model)


async def agree(parts: Parts, model: BruteForceBoard) -> bool:
    """Whether the board lists what the model does; False while it is being rebuilt."""
    with suppress(LaurelError):
        return await lines(parts) == [tuple(row) for row in model.rows()]
    return False
