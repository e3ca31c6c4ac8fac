"""Awards poured in through one stream: as fast as it takes them, and at half of that."""

from bench import people
from bench.laurel import INGEST_AWARDS
from bench.load.pouring import pour_all, pour_evenly
from bench.rounds import Figures, Goal, Row, absolute, compared, in_turn
from bench.workbench import Workbench
from laurel.rewards.v1.rewards_service_pb2 import IngestAwardsResponse

UNANSWERED = 4096
"""Messages that the client has under way: more than the server reads without having answered."""


async def run(bench: Workbench) -> list[Row]:
    """IngestAwards, one stream, against pgbench; and how long an answer takes at half the rate just measured."""
    laurel, options = await bench.laurel(), bench.options
    requests, target = people.poured_awards(options.people), laurel.method(INGEST_AWARDS)

    async def turn() -> Figures:
        pouring = pour_all(target, requests, _position, UNANSWERED, options.seconds)
        most = await laurel.costing(pouring)
        half = await pour_evenly(target, requests, _position, most["rate"] / 2, options.seconds)
        return most | {
            "half_rate": half["rate"],
            "half_p50_ms": half["p50_ms"],
            "half_p99_ms": half["p99_ms"],
        }

    transactions, ours = await in_turn(options.rounds, bench.transactions, turn)
    slowest = ours.medians("ours")["ours half_p99_ms"]
    return [
        compared("awards through one stream", "pgbench", "rate", (transactions, ours), Goal(3)),
        absolute("an answer at half load", "p99_ms", slowest, Goal(50, at_most=True)),
    ]


def _position(answer: bytes) -> int:
    result = IngestAwardsResponse.FromString(answer).result
    if result.HasField("error"):
        raise ValueError(result.error.message)
    return result.index
