"""The Lua scripts, one file each below `lua/`, called by digest.

Redis scripts cannot include others. One whose header says `Uses NAME` is sent with `lua/shared/NAME.lua` before it.
One whose header says `Result   msgpack: ...` packs what it replies, which is unpacked here: nested tables as a reply of
Redis' own cost it twice as much.
"""

import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.errors import RedisRefused

_USES = re.compile(r"^-- Uses +(\w+)$", re.MULTILINE)
_PACKS = re.compile(r"^-- Result +msgpack: ", re.MULTILINE)

_unpack = msgspec.msgpack.Decoder().decode


class Script:
    """One script. Redis forgets scripts when it restarts; the text is then sent again."""

    def __init__(self, name: str) -> None:
        self.name = name
        own = _read(name)
        self._text = "".join(_read(f"shared/{used}") for used in _USES.findall(own)) + own
        self._digest = hashlib.sha1(self._text.encode(), usedforsecurity=False).hexdigest()
        self._packs = _PACKS.search(own) is not None

    async def run(self, redis: RedisConnection, keys: tuple[str, ...], *args: str | bytes | int) -> Any:  # noqa: ANN401
        """Run the script and return its reply. RedisUnavailable, RedisRefused."""
        try:
            reply = await self._run(redis, keys, args)
        except RedisRefused as refused:
            raise RedisRefused(f"{self.name}: {refused}") from refused
        return _unpack(reply) if self._packs else reply

    async def _run(
        self, redis: RedisConnection, keys: tuple[str, ...], args: tuple[str | bytes | int, ...]
    ) -> Any:  # noqa: ANN401
        try:
            return await redis.call("EVALSHA", self._digest, len(keys), *keys, *args)
        except RedisRefused as refused:
            if not str(refused).startswith("NOSCRIPT"):
                raise
        return await redis.call("EVAL", self._text, len(keys), *keys, *args)


def _read(name: str) -> str:
    return (files("laurel_server.redis") / "lua" / f"{name}.lua").read_text(encoding="utf-8")


@cache
def script(name: str) -> Script:
    """Return the script in `lua/NAME.lua`. Read once."""
    return Script(name)
