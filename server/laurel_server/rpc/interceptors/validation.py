"""Parses requests and holds them against the rules that the contract declares."""

from typing import cast

from google.protobuf.message import Message

from laurel_server.rpc.context import CallContext
from laurel_server.rpc.interceptors.handler import Handler, Payload
from laurel_server.rpc.methods import Method
from laurel_server.rpc.parsing import parse_request
from laurel_server.rpc.violations import violations


class Validation:
    """Hands the servicer a valid message or refuses the call with INVALID_FIELD; serializes the answer.

    A stream of requests is left to the servicer: one that is malformed is no reason to end the others.
    """

    name = "validation"

    def wrap(self, method: Method, handler: Handler) -> Handler:
        """Return a handler from bytes to bytes around one of messages."""
        violations(method.request_type())  # compiles the rules, so that a wrong one fails at the start
        if method.client_streaming:
            return handler

        async def validated(raw: Payload, call: CallContext) -> Payload | None:
            response = await handler(parse_request(method.request_type, cast("bytes", raw)), call)
            return response.SerializeToString() if isinstance(response, Message) else response

        return validated
