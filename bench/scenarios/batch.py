"""Awards that come in batches: through the RPC, and straight into the ledger writer."""

from bench import people
from bench.laurel import BATCH_AWARD
from bench.ledger import ledger_load
from bench.load.unary import closed_loop
from bench.rounds import Figures, Goal, Row, compared, in_turn
from bench.workbench import Workbench

AWARDS = 64
CALLS_IN_FLIGHT = 16


async def rpc(bench: Workbench) -> list[Row]:
    """BatchAwardPoints with 64 awards a call, against pgbench; both in awards per second."""
    laurel, options = await bench.laurel(), bench.options
    requests, target = people.award_batches(options.people, AWARDS), laurel.method(BATCH_AWARD)

    async def turn() -> Figures:
        figures = await laurel.costing(closed_loop(target, requests, CALLS_IN_FLIGHT, options.seconds))
        return figures | {"rate": figures["rate"] * AWARDS}

    transactions, ours = await in_turn(options.rounds, bench.transactions, turn)
    return [compared("batch of 64 awards", "pgbench", "rate", (transactions, ours), Goal(3))]


async def writer(bench: Workbench) -> list[Row]:
    """The ledger writer alone, in this process, with batches of 64 on all lanes."""
    laurel, options = await bench.laurel(), bench.options
    async with ledger_load(laurel.pg_dsn, options.people, AWARDS) as turn:
        transactions, ours = await in_turn(options.rounds, bench.transactions, lambda: turn(options.seconds))
    return [compared("ledger writer alone", "pgbench", "rate", (transactions, ours), Goal(5))]
