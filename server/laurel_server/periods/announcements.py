"""What the outbox tells of a period that was closed."""

from datetime import datetime

from laurel_server.domain.boards import BoardKey
from laurel_server.domain.closing import Winner
from laurel_server.events.topics import PERIOD_CLOSED, PERIOD_WON


def closed(board: BoardKey, now: datetime) -> dict[str, object]:
    """Return the event of a board that was completed."""
    return {"type": PERIOD_CLOSED, **board._asdict(), "closed_at": now}


def won(board: BoardKey, winner: Winner, now: datetime) -> dict[str, object]:
    """Return the event of one who has won on it."""
    return {
        "type": PERIOD_WON,
        **board._asdict(),
        "user_id": winner.user_id,
        "user_no": winner.user_no,
        "rank": winner.rank,
        "score": winner.score,
        "bonus_points": winner.bonus_points,
        "transaction_id": str(winner.transaction_id),
        "closed_at": now,
    }
