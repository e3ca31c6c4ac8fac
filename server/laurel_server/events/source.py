"""Where consumers hear of events: the outbox, or the topics of Kafka. Both give each event at least once."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias


class Heard(NamedTuple):
    """An event as consumers see it, the same from either source.

    `id` stays the same however often it is heard; `body` has its `type` and fields; `origin` is the source's own.
    """

    id: str
    body: Mapping[str, Any]
    origin: object


class Polled(NamedTuple):
    """Some events, each user's in order, and where they end.

    `ranked`: the boards have followed them. `is_full`: there are more to come at once.
    """

    events: Sequence[Heard]
    ranked: bool
    is_full: bool
    end: object


SetAside: TypeAlias = Callable[[Heard, Exception], Awaitable[None]]
"""Puts an event aside that a consumer cannot handle, so that those behind it go on."""


class Source(Protocol):
    """What one consumer hears."""

    async def poll(self) -> Polled | None:
        """Return the events after those that were committed; None: nothing new, or another server hears them."""
        ...

    async def commit(self, polled: Polled) -> None:
        """Keep that they have been dealt with."""
        ...

    async def set_aside(self, heard: Heard, error: Exception) -> None:
        """Put an event aside."""
        ...

    async def start_over(self) -> None:
        """Go back to what was not committed."""
        ...

    async def caught_up(self, batch_no: int, seconds: float) -> bool:
        """Wait until all events up to a batch of the ledger are committed; False: not within so many seconds."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...
