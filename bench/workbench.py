"""What scenarios share: the options of the run, and servers that are started when first asked for."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

import grpc

from bench import people
from bench.floors import pgbench
from bench.floors.serving import path
from bench.laurel import Laurel, serving
from bench.load.unary import Target
from bench.processes import python
from bench.rounds import Figures


@dataclass(frozen=True, slots=True)
class Options:
    """How long and how large. `seconds` is the length of one turn."""

    rounds: int = 5
    seconds: float = 2.0
    people: int = 100_000
    members: int = 10_000_000


@dataclass(slots=True)
class Workbench:
    """The servers of a run; `held` stops them."""

    options: Options
    held: AsyncExitStack
    _settled: Laurel | None = None
    _echo: str | None = None
    _pgbench_clients: int | None = None

    async def laurel(self) -> Laurel:
        """Return the Laurel with default settings on whose boards all the users stand."""
        if self._settled is None:
            self._settled = await self.held.enter_async_context(serving())
            await people.settle(self._settled.address, self.options.people)
            await pgbench.make_tables(self._settled.pg_dsn, self.options.people)
        return self._settled

    async def another_laurel(self, settings: Mapping[str, str], users: int, held: AsyncExitStack) -> Laurel:
        """Return one more Laurel with settings of its own and `users` on its boards; `held` stops it."""
        laurel = await held.enter_async_context(serving(settings))
        await people.settle(laurel.address, users)
        return laurel

    async def echo(self, method: str, answer: bytes) -> Target:
        """Return a method of the echo server, which now answers with so many bytes."""
        if self._echo is None:
            self._echo = await self.held.enter_async_context(python("-m", "bench.floors.echo"))
        await call(Target(self._echo, path("SetAnswer")), answer)
        return Target(self._echo, path(method))

    async def transactions(self) -> Figures:
        """Let pgbench make awards on Laurel's PostgreSQL for a turn, from the best number of connections."""
        dsn, options = (await self.laurel()).pg_dsn, self.options
        if self._pgbench_clients is None:
            self._pgbench_clients = await pgbench.best_clients(dsn, options.people, options.seconds)
        rate = await pgbench.transactions_per_second(
            dsn, options.people, self._pgbench_clients, options.seconds
        )
        return {"rate": rate, "clients": self._pgbench_clients}


async def call(target: Target, request: bytes) -> bytes:
    """Make one call with serialized messages, through gRPC's own client."""
    async with grpc.aio.insecure_channel(target.address) as channel:
        method: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(target.path)
        return await method(request)
