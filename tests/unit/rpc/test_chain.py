from typing import cast

from laurel_server.rpc.callers import Callers
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.interceptors.admission import Admission
from laurel_server.rpc.interceptors.chain import Chain, standard_chain
from laurel_server.rpc.interceptors.deadline import DeadlineBounds
from laurel_server.rpc.interceptors.handler import Handler, Payload
from laurel_server.rpc.methods import REWARDS, Method, methods_of

METHOD = next(methods_of(REWARDS))


class Mark:
    """Puts its name before the request and after the answer."""

    def __init__(self, name: str) -> None:
        self.name = name

    def wrap(self, _method: Method, handler: Handler) -> Handler:
        async def marked(request: Payload, call: CallContext) -> Payload | None:
            answer = await handler(cast("bytes", request) + self.name.encode(), call)
            return cast("bytes", answer) + self.name.upper().encode()

        return marked


async def echo(request: Payload, _call: CallContext) -> Payload:
    return cast("bytes", request) + b"|"


def test_the_order_of_the_standard_chain() -> None:
    names = standard_chain(Admission(), DeadlineBounds()).names
    assert names == (
        "request_id",
        "metrics",
        "log",
        "errors",
        "answers",
        "deadline",
        "admission",
        "validation",
    )


def test_credentials_are_asked_for_before_anything_is_answered() -> None:
    names = standard_chain(Admission(), DeadlineBounds(), callers=Callers({})).names
    assert names[names.index("errors") + 1 : names.index("answers")] == ("auth",)


def test_without_metrics_the_rest_stays() -> None:
    whole = standard_chain(Admission(), DeadlineBounds()).names
    names = standard_chain(Admission(), DeadlineBounds(), metrics=False).names
    assert names == tuple(name for name in whole if name != "metrics")


async def test_the_first_interceptor_is_the_outermost() -> None:
    handler = Chain([Mark("a"), Mark("b")]).wrap(METHOD, echo)
    assert await handler(b"", cast("CallContext", None)) == b"ab|BA"
