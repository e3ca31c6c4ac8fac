import pytest

from laurel.leaderboard.v1 import rules_pb2, scores_pb2
from laurel.type.v1 import board_pb2
from laurel_server.domain.board_configs import ScoreOperator
from laurel_server.domain.errors import Reason
from laurel_server.domain.ranks import Pair
from tests.integration.rpc.harness import Served, read_status, refused

RACE = board_pb2.BoardRef(scope="race")


def update(**fields: object) -> scores_pb2.UpdateScoreRequest:
    merged = {"request_id": "r", "board": RACE, "user_id": "ann", "score": 7, **fields}
    return scores_pb2.UpdateScoreRequest(**merged)  # type: ignore[arg-type]


async def test_a_score(served: Served) -> None:
    request = update(sub_score=-3, metadata={"car": "red"}, operator=rules_pb2.SCORE_OPERATOR_SUM)
    response = await served.leaderboards.UpdateScore(request)
    assert (response.rank.rank, response.rank.previous_rank, response.rank.score) == (1, 2, 7)
    assert (response.rank.board.scope, response.rank.board.period_id) == ("race", "all")
    assert (response.updated, response.replayed, response.rank_state) == (
        True,
        False,
        board_pb2.RANK_STATE_FRESH,
    )
    (command,) = served.scores.commands
    assert (command.family, command.pair, command.operator) == ("UpdateScore", Pair(7, -3), ScoreOperator.SUM)
    assert (command.metadata, command.is_removal) == ({"car": "red"}, False)


@pytest.mark.parametrize(
    ("fields", "broken"),
    [
        ({"request_id": ""}, "request_id"),
        ({"user_id": "no one"}, "user_id"),
        ({"board": None}, "board"),
        ({"metadata": {str(key): "" for key in range(17)}}, "metadata"),
        ({"operator": 9}, "operator"),
    ],
)
async def test_malformed_scores_are_refused(served: Served, fields: dict[str, object], broken: str) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.leaderboards.UpdateScore(update(**fields))
    assert refusal.fields.keys() == {broken}


async def test_each_score_of_a_batch_has_its_own_result(served: Served) -> None:
    request = scores_pb2.BatchUpdateScoresRequest(scores=[update(), update(user_id=""), update(score=-1)])
    results = (await served.leaderboards.BatchUpdateScores(request)).results
    assert [result.index for result in results] == [0, 1, 2]
    assert results[0].update.rank.rank == 1
    reasons = [info.reason for result in results[1:] if (info := read_status(result.error).info)]
    assert reasons == ["INVALID_FIELD", "SCORE_OUT_OF_RANGE"]
    assert {command.family for command in served.scores.commands} == {"BatchUpdateScores"}


async def test_a_removal(served: Served) -> None:
    request = scores_pb2.RemoveMemberRequest(request_id="r", board=RACE, user_id="ann")
    assert (await served.leaderboards.RemoveMember(request)).removed
    assert [(command.family, command.is_removal) for command in served.scores.commands] == [
        ("RemoveMember", True)
    ]
