"""Score boards: requests as commands, answers as messages."""

from laurel.leaderboard.v1.scores_pb2 import RemoveMemberRequest, UpdateScoreRequest, UpdateScoreResponse
from laurel.type.v1.board_pb2 import RankState
from laurel_server.domain.board_configs import ScoreOperator
from laurel_server.domain.ranks import Pair
from laurel_server.domain.scores import ScoreAnswer, ScoreCommand
from laurel_server.rpc.convert.awards import request_hash
from laurel_server.rpc.convert.boards import write_rank


def read_update(request: UpdateScoreRequest, family: str, caller: str) -> ScoreCommand:
    """Return the command that a valid `request` asks for; `family` is the RPC that it came by."""
    return ScoreCommand(
        family=family,
        caller=caller,
        request_id=request.request_id,
        request_hash=request_hash(request),
        scope=request.board.scope,
        period_id=request.board.period_id,
        user_id=request.user_id,
        pair=Pair(request.score, request.sub_score),
        metadata=dict(sorted(request.metadata.items())),
        operator=ScoreOperator(request.operator) if request.operator else None,
    )


def read_removal(request: RemoveMemberRequest, caller: str) -> ScoreCommand:
    """Return the command that a valid `request` asks for."""
    return ScoreCommand(
        family="RemoveMember",
        caller=caller,
        request_id=request.request_id,
        request_hash=request_hash(request),
        scope=request.board.scope,
        period_id=request.board.period_id,
        user_id=request.user_id,
        metadata={},
        is_removal=True,
    )


def write_update(target: UpdateScoreResponse, answer: ScoreAnswer) -> None:
    """Fill the empty `target` with an answer."""
    write_rank(target.rank, answer.rank)
    target.updated = answer.updated
    target.replayed = answer.replayed
    target.rank_state = RankState.ValueType(answer.rank_state)
