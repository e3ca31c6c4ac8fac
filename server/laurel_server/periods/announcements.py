"""What the outbox tells of a period that was closed."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from laurel_server.domain.boards import BoardKey
from laurel_server.domain.closing import Winner
from laurel_server.events.topics import PERIOD_CLOSED, PERIOD_WON


def announcements(
    boards: Sequence[BoardKey], winners: Mapping[BoardKey, Sequence[Winner]], now: datetime
) -> list[dict[str, object]]:
    """Return the events of boards that were completed: one a board, and one a winner."""
    events: list[dict[str, object]] = []
    for board in boards:
        events.append({"type": PERIOD_CLOSED, **board._asdict(), "closed_at": now})
        events += [_won(board, winner, now) for winner in winners.get(board, ())]
    return events


def _won(board: BoardKey, winner: Winner, now: datetime) -> dict[str, object]:
    return {
        "type": PERIOD_WON,
        **board._asdict(),
        "user_id": winner.user_id,
        "rank": winner.rank,
        "score": winner.score,
        "bonus_points": winner.bonus_points,
        "transaction_id": str(winner.transaction_id),
        "closed_at": now,
    }
