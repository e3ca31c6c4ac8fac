"""Logs: one JSON object a line on standard error, with the id of the call that caused it."""

import logging
import sys
from typing import TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from laurel_server.rpc.context import CURRENT_CALL


def configure_logging(level: str = "info", stream: TextIO | None = None) -> None:
    """Send the lines of this process from `level` (`debug` to `error`) on to `stream`: standard error.

    Libraries that log by `logging` (grpc, asyncio) are written in the same form, from `warning` on.
    """
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        _add_call,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    _configure_own_lines(shared, getattr(logging, level.upper()), stream or sys.stderr)
    _configure_libraries(shared, stream or sys.stderr)


def _configure_own_lines(shared: list[Processor], level: int, stream: TextIO) -> None:
    structlog.configure(
        processors=[*shared, _render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
    )


def _configure_libraries(shared: list[Processor], stream: TextIO) -> None:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _render],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def _add_call(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    call = CURRENT_CALL.get()
    if call is not None:
        event.setdefault("request_id", call.request_id)
        event.setdefault("caller", call.caller)
    return event


def _render(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    present = {key: value for key, value in event.items() if value is not None}
    return orjson.dumps(present, default=str).decode()
