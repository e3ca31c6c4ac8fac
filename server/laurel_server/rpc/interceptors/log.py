"""Writes one line for each call that failed through Laurel's fault or took long; others are only counted."""

import logging
import time
from typing import Final

import structlog

from laurel_server.rpc.context import CallContext
from laurel_server.rpc.interceptors.handler import Handler, Payload
from laurel_server.rpc.methods import Method

SLOW_SECONDS: Final = 1.0
"""A unary call that takes longer gets a line."""

_LEVELS: Final = {"INTERNAL": logging.ERROR, "UNAVAILABLE": logging.WARNING}

_log = structlog.get_logger(__name__)


class Log:
    """Logs faults with their traceback, unavailability, and slow calls."""

    name = "log"

    def wrap(self, method: Method, handler: Handler) -> Handler:
        """Return a handler that is logged where it matters."""
        slow_after = float("inf") if method.server_streaming else SLOW_SECONDS

        async def logged(request: Payload, call: CallContext) -> Payload | None:
            try:
                return await handler(request, call)
            finally:
                seconds = time.monotonic() - call.started_at
                if call.code in _LEVELS:
                    _write_line("call failed", call, seconds)
                elif seconds > slow_after:
                    _write_line("slow call", call, seconds)

        return logged


def _write_line(event: str, call: CallContext, seconds: float) -> None:
    _log.log(
        _LEVELS.get(call.code, logging.WARNING),
        event,
        method=call.method.full_name,
        code=call.code,
        error=str(call.failure) if call.failure else None,
        seconds=round(seconds, 4),
        exc_info=call.failure if call.code == "INTERNAL" else None,
    )
