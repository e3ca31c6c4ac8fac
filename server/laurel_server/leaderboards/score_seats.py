"""From scores in the ledger to places on score boards."""

from collections.abc import Sequence

import orjson

from laurel_server.domain.boards import BoardKey, Traits, Visibility
from laurel_server.domain.scores import Score
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.reading import sorted_score
from laurel_server.leaderboards.seating import Seat, Seating
from laurel_server.postgres.scores import Scorer
from laurel_server.postgres.standings import Erased
from laurel_server.redis.keys import TIE_LENGTH, sub_score_text, tie, width_of


def seat_of(traits: Traits, user_id: str, score: Score) -> Seat:
    """Return where a user belongs on a score board."""
    sub_score = sub_score_text(sorted_score(traits, score.pair.sub_score))
    metadata = orjson.dumps(dict(score.metadata)).decode() if score.metadata else ""
    return Seat(
        user_id,
        score.version,
        str(sorted_score(traits, score.pair.score)),
        f"{sub_score}{tie(score.reached)}{score.version}",
        metadata,
    )


def place_of(traits: Traits, scorer: Scorer) -> tuple[str, int]:
    """Return the member of a user on a score board, and the score by which it is sorted."""
    placed = seat_of(traits, scorer.user_id, scorer.score)
    return placed.entry[: width_of(traits) + TIE_LENGTH] + scorer.user_id, int(placed.score)


def seatings_of_scorers(scorers: Sequence[Scorer], catalogue: Catalogue) -> dict[BoardKey, Seating]:
    """Return where users belong on their score boards; who is not public takes no position."""
    seatings: dict[BoardKey, Seating] = {}
    for scorer in scorers:
        traits = catalogue.traits_of(scorer.board)
        if not traits.has_scores:
            continue  # the board was deleted meanwhile
        seating = seatings.setdefault(scorer.board, Seating(traits))
        if scorer.visibility is Visibility.PUBLIC:
            seating.on.append(seat_of(traits, scorer.user_id, scorer.score))
        else:
            seating.off.append((scorer.user_id, scorer.score.version))
    return seatings


def seatings_of_removed(removed: Sequence[Erased], catalogue: Catalogue) -> dict[BoardKey, Seating]:
    """Return the boards that users were taken off."""
    seatings: dict[BoardKey, Seating] = {}
    for each in removed:
        for board in each.left:
            traits = catalogue.traits_of(board)
            if traits.has_scores:
                seatings.setdefault(board, Seating(traits)).off.append((each.user_id, each.version))
    return seatings
