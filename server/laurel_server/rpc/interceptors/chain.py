"""The chain of interceptors: each wraps the handler of a method once, when the server is built.

gRPC's own interceptors run anew for every call and look the handler up through each other; a wrapped
coroutine costs a tenth of a microsecond.
"""

from collections.abc import Sequence

from laurel_server.rpc.callers import Callers
from laurel_server.rpc.interceptors.admission import Admission
from laurel_server.rpc.interceptors.answers import Answers
from laurel_server.rpc.interceptors.auth import Auth
from laurel_server.rpc.interceptors.deadline import Deadline, DeadlineBounds
from laurel_server.rpc.interceptors.errors import Errors
from laurel_server.rpc.interceptors.handler import Handler, Interceptor
from laurel_server.rpc.interceptors.log import Log
from laurel_server.rpc.interceptors.metrics import Metrics
from laurel_server.rpc.interceptors.request_id import RequestId
from laurel_server.rpc.interceptors.validation import Validation
from laurel_server.rpc.methods import Method


class Chain:
    """Interceptors from the outermost to the innermost."""

    def __init__(self, interceptors: Sequence[Interceptor]) -> None:
        self._interceptors = tuple(interceptors)

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the order in which a call passes them."""
        return tuple(interceptor.name for interceptor in self._interceptors)

    def wrap(self, method: Method, handler: Handler) -> Handler:
        """Return `handler` inside of all interceptors."""
        for interceptor in reversed(self._interceptors):
            handler = interceptor.wrap(method, handler)
        return handler


def standard_chain(
    admission: Admission,
    deadlines: DeadlineBounds,
    *,
    metrics: bool = True,
    callers: Callers | None = None,
) -> Chain:
    """Return the chain that every server uses; without `callers` it is open to all. The order matters.

    The id comes first, for all others to name the call by. Metrics and log see how a call ended, and so stand
    outside of the error map, which has to see everything that can fail. Who may not call learns nothing, not
    even an answer that is known, which itself needs neither time nor room. What refuses cheaply comes before
    what costs: a call without time or room is not parsed.
    """
    measuring = (Metrics(),) if metrics else ()
    authorizing = (Auth(callers),) if callers else ()
    outer = (RequestId(), *measuring, Log(), Errors(), *authorizing)
    return Chain((*outer, Answers(), Deadline(deadlines), admission, Validation()))
