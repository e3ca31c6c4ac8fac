"""Gives every call the id that its caller sent, and sends it back; errors carry an id in any case."""

import re
from typing import Final

from laurel_server.rpc.context import CURRENT_CALL, CallContext
from laurel_server.rpc.interceptors.handler import Handler, Payload
from laurel_server.rpc.methods import Method

METADATA_KEY: Final = "x-request-id"
"""Key of the id in the metadata of requests, and in the trailing metadata of answers."""

_ACCEPTED = re.compile(r"[!-~]{1,128}")


class RequestId:
    """Accepts an id of 1-128 visible ASCII characters and overlooks another form."""

    name = "request_id"

    def wrap(self, method: Method, handler: Handler) -> Handler:
        """Return a handler whose context has the id and is the current one of its task."""

        async def identified(request: Payload, call: CallContext) -> Payload | None:
            CURRENT_CALL.set(call)
            for key, value in call.metadata:
                if key == METADATA_KEY and isinstance(value, str) and _ACCEPTED.fullmatch(value):
                    call.request_id = value
                    call.rpc.set_trailing_metadata(((METADATA_KEY, value),))
            return await handler(request, call)

        return identified
