"""The hash chain between rows and values."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from laurel_server.domain.chain import FIRST_SEAL
from laurel_server.postgres.pool import Pool
from laurel_server.postgres.sql import load


class Seal(NamedTuple):
    """The seal of a batch, and so of all before it."""

    batch_no: int
    seal: bytes


NO_SEAL = Seal(0, FIRST_SEAL)


class Digest(NamedTuple):
    """What was kept of a batch with its entries."""

    entries: int
    digest: bytes


class Link(NamedTuple):
    """A batch in the chain; None for what is missing of it."""

    batch_no: int
    digest: bytes | None
    seal: bytes | None


async def next_transaction(pool: Pool) -> int:
    """Take an id for a transaction: all that have one before are below it."""
    number: int = await pool.fetchval(load("chain_next_transaction"))
    return number


async def oldest_running(pool: Pool) -> int:
    """Return the id below which all transactions are over."""
    number: int = await pool.fetchval(load("chain_oldest_running"))
    return number


async def last_seal(pool: Pool) -> Seal:
    """Return the newest seal; NO_SEAL before the first."""
    row = await pool.fetchrow(load("chain_last_seal"))
    return Seal(*row) if row else NO_SEAL


async def seal_of(pool: Pool, batch_no: int) -> bytes | None:
    """Return the seal of a batch; None: it has none."""
    found: bytes | None = await pool.fetchval(load("chain_seal_of"), batch_no)
    return found


async def unsealed(pool: Pool, after: int, up_to: int, limit: int) -> list[tuple[int, bytes]]:
    """Return the numbers and digests of the next batches to seal."""
    return [tuple(row) for row in await pool.fetch(load("chain_unsealed"), after, up_to, limit)]


async def add_seals(pool: Pool, seals: Sequence[Seal]) -> None:
    """Keep seals."""
    await pool.execute(
        load("chain_add_seals"), [seal.batch_no for seal in seals], [seal.seal for seal in seals]
    )


async def months(pool: Pool) -> list[int]:
    """Return the months (since 1970-01) of which there are entries."""
    return [row["month"] for row in await pool.fetch(load("chain_months"))]


async def first_batch(pool: Pool) -> int:
    """Return the batch with which the chain begins."""
    number: int = await pool.fetchval(load("chain_first_batch"))
    return number


async def batches_before(pool: Pool, batch_no: int) -> list[int]:
    """Return the first batches of which something was kept although the chain begins later."""
    return [row["batch_no"] for row in await pool.fetch(load("chain_batches_before"), batch_no)]


async def batches_of(pool: Pool, month: int, after: int, up_to: int) -> dict[int, Digest]:
    """Return what was kept of a month's batches in `(after, up_to]`, by their numbers."""
    rows = await pool.fetch(load("chain_batches_of"), month, after, up_to)
    return {row["batch_no"]: Digest(row["entries"], row["digest"]) for row in rows}


async def batches_outside(pool: Pool, months: Collection[int], up_to: int) -> list[int]:
    """Return the numbers of batches up to `up_to` of which something was kept in other months."""
    return [row["batch_no"] for row in await pool.fetch(load("chain_batches_outside"), list(months), up_to)]


async def links(pool: Pool, after: int, up_to: int, limit: int) -> list[Link]:
    """Return the next batches of the chain in order, those in `(after, up_to]`."""
    return [Link(*row) for row in await pool.fetch(load("chain_links"), after, up_to, limit)]
