"""Parses requests and holds them against the rules that the contract declares."""

from typing import cast

from google.protobuf.message import DecodeError, Message

from laurel_server.rpc.context import CallContext
from laurel_server.rpc.errors import InvalidRequestError, Violation
from laurel_server.rpc.interceptors.handler import Handler, Payload
from laurel_server.rpc.methods import Method
from laurel_server.rpc.violations import violations


class Validation:
    """Hands the servicer a valid message or refuses the call with INVALID_FIELD; serializes the answer."""

    name = "validation"

    def wrap(self, method: Method, handler: Handler) -> Handler:
        """Return a handler from bytes to bytes around one of messages."""
        parse = method.request_type.FromString
        violations(method.request_type())  # compiles the rules, so that a wrong one fails at the start

        async def validated(raw: Payload, call: CallContext) -> Payload | None:
            try:
                request = parse(cast("bytes", raw))
            except DecodeError:
                raise InvalidRequestError([_unparsable(method)]) from None
            broken = violations(request, cast("bytes", raw))
            if broken:
                raise InvalidRequestError(broken)
            response = await handler(request, call)
            return response.SerializeToString() if isinstance(response, Message) else response

        return validated


def _unparsable(method: Method) -> Violation:
    return Violation("", f"the request is not a serialized {method.request_type.DESCRIPTOR.full_name}")
