"""Answers again, without parsing, what was asked in the same words a moment ago and may be answered alike."""

import time
from typing import Final

from laurel_server.rpc.context import CallContext
from laurel_server.rpc.interceptors.handler import Handler, Payload
from laurel_server.rpc.methods import Method, MethodKind

_MAX_KEPT: Final = 256


class Answers:
    """Keeps answers for as long as their servicer allows by `CallContext.fresh_until`; most allow nothing.

    An answer is kept by the bytes of its request alone. A servicer allows only what is the same for every
    caller, and right for every moment until then.
    """

    name = "answers"

    def wrap(self, method: Method, handler: Handler) -> Handler:
        """Return a handler that remembers; only for methods that read."""
        if method.kind is not MethodKind.READ:
            return handler
        kept: dict[Payload, tuple[Payload | None, float]] = {}

        async def remembered(request: Payload, call: CallContext) -> Payload | None:
            answer, fresh_until = kept.get(request, _NOTHING)
            if call.started_at < fresh_until:
                return answer
            answer = await handler(request, call)
            if call.fresh_until > call.started_at:
                _make_room(kept)
                kept[request] = (answer, call.fresh_until)
            return answer

        return remembered


_NOTHING: Final = (None, 0.0)


def _make_room(kept: dict[Payload, tuple[Payload | None, float]]) -> None:
    """Forget what is out of date once there is much, and everything if that was not enough."""
    if len(kept) < _MAX_KEPT:
        return
    now = time.monotonic()
    for request in [request for request, (_, fresh_until) in kept.items() if fresh_until <= now]:
        del kept[request]
    if len(kept) >= _MAX_KEPT:
        kept.clear()
