"""A Redis Cluster: commands go to the server that has the slot of their key."""

import asyncio
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import structlog
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from laurel_server.redis.errors import RedisRefused, RedisUnavailable
from laurel_server.redis.node import RedisNode

log = structlog.get_logger()

REDIRECTIONS: Final = 8
"""How often one command follows a slot that moves."""

RETRY_SECONDS: Final = 0.05
LOOK_AGAIN_SECONDS: Final = 0.2
"""Shortest time between two looks at who has which slot, while a server is away."""

_KEYLESS: Final = frozenset({"PUBLISH", "INFO", "PING"})
_SCRIPTS: Final = frozenset({"EVAL", "EVALSHA"})


class RedisCluster:
    """Knows who has which slot, and learns it anew when a server says that a slot has moved, or is away."""

    one_slot = True

    def __init__(self, url: str, timeout: float) -> None:
        """`url` is the address of any node; credentials and TLS are the same for all. `timeout` as for a node."""
        self._url = url
        self._timeout = timeout
        self._known = {url: RedisNode(url, timeout)}
        self._owners: list[RedisNode] = []
        self._looking = asyncio.Lock()
        self._looked_at = 0.0
        self._doubtful = True

    @property
    def connections(self) -> int:
        """How often all nodes together have connected."""
        return sum(node.connections for node in self._known.values())

    async def call(self, *command: str | bytes | int) -> Any:  # noqa: ANN401 - replies are what the command makes them
        """Send one command to the server that has its key. RedisRefused for an error, RedisUnavailable."""
        slot = _slot_of(command)
        for _ in range(REDIRECTIONS):
            node = await self._owner(slot)
            try:
                return await node.call(*command)
            except RedisRefused as refused:
                word, _, rest = str(refused).partition(" ")
                if word == "ASK":
                    return await self._node_at(rest.split()[1]).call_asking(*command)
                if word == "MOVED":
                    self._owners[slot] = self._node_at(rest.split()[1])
                    self._doubtful = True
                elif word == "TRYAGAIN":  # a part of the keys is on its way
                    await asyncio.sleep(RETRY_SECONDS)
                else:
                    raise
            except RedisUnavailable:
                self._doubtful = True
                raise
        raise RedisUnavailable("the slot moves all the time")

    def silent_for(self, seconds: float) -> bool:
        """Whether a node that has something to answer has been silent for so long."""
        awaited = [node for node in self._known.values() if node.is_awaited]
        return not awaited or any(node.silent_for(seconds) for node in awaited)

    async def nodes(self) -> Sequence[RedisNode]:
        """Return the nodes that have slots."""
        await self._look()
        return list(dict.fromkeys(self._owners))

    async def node_keys(self, name: str) -> Sequence[str]:
        """Return a key for every node, in the first of its slots."""
        await self._look()
        first = {node: slot for slot, node in reversed(list(enumerate(self._owners)))}
        return sorted(f"{name}:{{{_tag(slot)}}}" for slot in first.values())

    def listening_urls(self) -> Sequence[str]:
        """Return the addresses of all nodes, those with slots first: messages are passed on among them."""
        return list(dict.fromkeys((*(node.url for node in self._owners), *self._known)))

    async def close(self) -> None:
        """Close the connections to all nodes."""
        await asyncio.gather(*(node.close() for node in self._known.values()))

    async def _owner(self, slot: int) -> RedisNode:
        if self._doubtful and (not self._owners or time.monotonic() - self._looked_at > LOOK_AGAIN_SECONDS):
            await self._look()
        return self._owners[slot]

    async def _look(self) -> None:
        """Learn who has which slot from any node that answers. RedisUnavailable when none does."""
        asked_at = time.monotonic()
        async with self._looking:
            if self._looked_at > asked_at and self._owners:
                return  # somebody else has looked while this call waited
            refusals = []
            for node in sorted(self._known.values(), key=_is_awaited):
                try:
                    self._learn(node, await node.call("CLUSTER", "SLOTS"))
                except RedisUnavailable as away:
                    refusals.append(str(away))
                else:
                    return
            self._looked_at = time.monotonic()
            if not self._owners:
                raise RedisUnavailable("; ".join(refusals))

    def _learn(self, teller: RedisNode, ranges: Sequence[Any]) -> None:
        owners: dict[int, RedisNode] = {}
        for first, last, master, *_ in ranges:
            host = (master[0] or b"").decode() or urlsplit(teller.url).hostname or "127.0.0.1"
            node = self._node_at(f"{host}:{master[1]}")
            owners.update(dict.fromkeys(range(first, last + 1), node))
        if len(owners) < REDIS_CLUSTER_HASH_SLOTS:
            raise RedisUnavailable(f"the cluster covers {len(owners)} slots of {REDIS_CLUSTER_HASH_SLOTS}")
        self._owners = [owners[slot] for slot in range(REDIS_CLUSTER_HASH_SLOTS)]
        self._looked_at, self._doubtful = time.monotonic(), False
        log.info("redis.cluster", nodes=len(set(self._owners)))

    def _node_at(self, place: str) -> RedisNode:
        """Return the node at `host:port`."""
        parts = urlsplit(self._url)
        credentials, at, _ = parts.netloc.rpartition("@")
        host, _, port = place.rpartition(":")
        netloc = f"{credentials}{at}{f'[{host}]' if ':' in host else host}:{port}"
        url = urlunsplit(parts._replace(netloc=netloc))
        if url not in self._known:
            self._known[url] = RedisNode(url, self._timeout)
        return self._known[url]


def _is_awaited(node: RedisNode) -> bool:
    return node.is_awaited


def _slot_of(command: Sequence[str | bytes | int]) -> int:
    """Return the slot of the command's first key; 0, as good as any, for a command without one."""
    name = command[0]
    if name in _KEYLESS:
        return 0
    key = command[3] if name in _SCRIPTS else command[1]
    return key_slot(key if isinstance(key, bytes) else str(key).encode())


@lru_cache(maxsize=256)
def _tag(slot: int) -> str:
    """Return the smallest number whose text has this slot."""
    return next(str(number) for number in range(1 << 24) if key_slot(str(number).encode()) == slot)
