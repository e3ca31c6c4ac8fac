"""Periods, winners and snapshots."""

from laurel.ranking.v1.periods_pb2 import PeriodState
from laurel.ranking.v1.periods_pb2 import PeriodSummary as PeriodSummaryMessage
from laurel_server.domain.closing import PeriodSummary
from laurel_server.rpc.convert.boards import write_board
from laurel_server.rpc.convert.times import write_moment


def write_period(target: PeriodSummaryMessage, summary: PeriodSummary) -> None:
    """Fill the empty `target` with one period of a board."""
    write_board(target.board, summary.board)
    write_moment(target.starts_at, summary.period.starts_at)
    write_moment(target.ends_at, summary.period.ends_at)
    target.state = PeriodState.ValueType(summary.state)
    target.total_participants = summary.participants
    for winner in summary.winners:
        target.winners.add(
            rank=winner.rank,
            user_id=winner.user_id,
            score=winner.score,
            bonus_points=winner.bonus_points,
            transaction_id=str(winner.transaction_id or ""),
        )
