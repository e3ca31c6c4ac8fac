"""What is measured, by the name that `./scripts/bench NAME...` takes."""

from collections.abc import Awaitable, Callable, Mapping

from bench.rounds import Row
from bench.scenarios import (
    award,
    batch,
    drain,
    fanout,
    ingest,
    memory,
    reads,
    scale,
    spending,
    statement,
    telemetry,
)
from bench.workbench import Workbench

SCENARIOS: Mapping[str, Callable[[Workbench], Awaitable[list[Row]]]] = {
    "award": award.full,
    "lone": award.lone,
    "half-load": award.half_load,
    "batch": batch.rpc,
    "ledger": batch.writer,
    "redeem": spending.redeem,
    "reverse": spending.reverse,
    "lots": spending.lots,
    "ingest": ingest.run,
    "statement": statement.depth,
    "top": reads.top,
    "rank": reads.rank,
    "surrounding": reads.surrounding,
    "fanout": fanout.run,
    "memory": memory.run,
    "telemetry": telemetry.run,
    "drain": drain.run,
    "scale": scale.run,
}

GROUPS: Mapping[str, tuple[str, ...]] = {
    "reads": ("top", "rank", "surrounding"),
    "money": ("redeem", "reverse", "lots", "ingest", "statement"),
}

USUAL = tuple(name for name in SCENARIOS if name != "scale")
"""What is measured unless it is named; `scale` takes minutes and some GB of memory."""
