"""What the rest of Laurel asks of Redis, be it one server or a cluster."""

from collections.abc import Sequence
from typing import Any, Protocol

from laurel_server.redis.cluster import RedisCluster
from laurel_server.redis.node import RedisNode


class RedisConnection(Protocol):
    """Sends commands and finds the server that has the key."""

    @property
    def one_slot(self) -> bool:
        """Whether all keys of one command must have the same slot, as on a cluster."""

    @property
    def connections(self) -> int:
        """How often it has connected. Data that was confirmed on an earlier connection may be gone: see `repair`."""

    async def call(self, *command: str | bytes | int) -> Any:  # noqa: ANN401 - replies are what the command makes them
        """Send one command and return its reply. RedisRefused when the reply is an error, RedisUnavailable."""

    def silent_for(self, seconds: float) -> bool:
        """Whether nothing has come for so long: Redis is away, not merely busy with what we have sent."""

    async def nodes(self) -> Sequence[RedisNode]:
        """Return every server that has keys of its own. RedisUnavailable."""

    async def node_keys(self, name: str) -> Sequence[str]:
        """Return a key for every server of `nodes`, made of `name`, which it keeps. RedisUnavailable."""

    def listening_urls(self) -> Sequence[str]:
        """Return the addresses of servers at any of which all published messages are heard."""

    async def close(self) -> None:
        """Close what is open; waiting callers get RedisUnavailable."""


def connection(url: str, timeout: float, *, cluster: bool) -> RedisConnection:
    """Return a connection to the server at `url`, or to the cluster of which it is a node; see `RedisNode`."""
    return RedisCluster(url, timeout) if cluster else RedisNode(url, timeout)
