"""Turns every exception into the status that callers see; the map itself is `laurel_server.rpc.errors`."""

import asyncio
from typing import NoReturn

import grpc

from laurel_server.rpc.context import CallContext
from laurel_server.rpc.errors import CODES, to_status
from laurel_server.rpc.interceptors.handler import Handler, Payload
from laurel_server.rpc.interceptors.request_id import METADATA_KEY
from laurel_server.rpc.methods import Method

_DETAILS_KEY = "grpc-status-details-bin"
_CLOCK_SLACK = 0.05  # seconds by which timers of gRPC and of the event loop may come early


class Errors:
    """Refuses a call with the status of its error. No text of a foreign exception gets out."""

    name = "errors"

    def wrap(self, method: Method, handler: Handler) -> Handler:
        """Return a handler that raises only what gRPC itself understands."""

        async def mapped(request: Payload, call: CallContext) -> Payload | None:
            try:
                return await handler(request, call)
            except asyncio.CancelledError:
                call.code = _code_of_cancelled(call)
                raise  # a swallowed cancellation leaks the call's native resources
            except grpc.aio.BaseError:  # gRPC's own: the peer has gone
                call.code = "CANCELLED"
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, no text of it may reach the caller
                await _abort(call, error)

        return mapped


def _code_of_cancelled(call: CallContext) -> str:
    """Tell a caller who hung up from one whose deadline, which gRPC watches, has passed."""
    return "DEADLINE_EXCEEDED" if _is_past_deadline(call) else "CANCELLED"


def _is_past_deadline(call: CallContext) -> bool:
    remaining = call.time_remaining
    return remaining is not None and remaining <= _CLOCK_SLACK


async def _abort(call: CallContext, error: Exception) -> NoReturn:
    if isinstance(error, TimeoutError) and not _is_past_deadline(call):
        error = _early_time_out(error)
    status = to_status(error, call.request_id)
    code = CODES[status.code]
    call.code, call.failure = code.name, error
    trailing = ((METADATA_KEY, call.request_id), (_DETAILS_KEY, status.SerializeToString()))
    await call.rpc.abort(code, status.message, trailing)


def _early_time_out(error: TimeoutError) -> Exception:
    """Return a fault in place of what would pass for the deadline of the call."""
    fault = RuntimeError("something timed out before the deadline of the call")
    fault.__cause__ = error
    return fault
