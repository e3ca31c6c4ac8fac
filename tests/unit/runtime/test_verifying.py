import asyncio
from time import monotonic

from laurel_server.runtime.verifying import CALM, Pauses


async def test_a_comparison_pauses_longer_than_it_works() -> None:
    pauses, began = Pauses(), monotonic()
    await asyncio.sleep(0.01)
    worked = monotonic() - began
    await pauses("ledger", 1, 1)
    assert monotonic() - began >= (1 + CALM) * worked
