"""One unary call: its deadline, its retries, its error."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Protocol, TypeAlias, TypeVar

import grpc

from laurel_client.errors import LaurelCallError

Request = TypeVar("Request")
Response = TypeVar("Response")


class PageRequest(Protocol):
    """A request for one page."""

    page_token: str


class Page(Protocol):
    """One page of a list."""

    @property
    def next_page_token(self) -> str:
        """The token of the page after; empty on the last one."""
        ...


AnyPageRequest = TypeVar("AnyPageRequest", bound=PageRequest)
AnyPage = TypeVar("AnyPage", bound=Page)


Metadata: TypeAlias = tuple[tuple[str, str], ...]


def credentials(token: str) -> Metadata:
    """Return what a call carries to say who calls; nothing without a token."""
    return (("authorization", f"Bearer {token}"),) if token else ()


class Caller:
    """Makes calls with `metadata`; each takes at most `timeout` seconds, retries included."""

    def __init__(self, timeout: float, metadata: Metadata = ()) -> None:
        self._timeout = timeout
        self.metadata = metadata

    async def call(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Request, Response],
        request: Request,
        timeout: float | None = None,  # noqa: ASYNC109 - becomes the deadline that the server sees
    ) -> Response:
        """Return the answer. Raises LaurelCallError.

        Where the server says that it did nothing and when to come back, the same request is sent again then, if the
        deadline allows. What else is retried is in the service config of the channel.
        """
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + (self._timeout if timeout is None else timeout)
        while True:
            try:
                return await self._attempt(method, request, ends_at - loop.time())
            except LaurelCallError as error:
                pause = _pause(error)
                if pause is None or loop.time() + pause >= ends_at:
                    raise
            await asyncio.sleep(pause)

    async def pages(
        self, method: grpc.aio.UnaryUnaryMultiCallable[AnyPageRequest, AnyPage], request: AnyPageRequest
    ) -> AsyncIterator[AnyPage]:
        """Yield page after page, each fetched when it is asked for. Raises LaurelCallError."""
        while True:
            page = await self.call(method, request)
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def _attempt(
        self, method: grpc.aio.UnaryUnaryMultiCallable[Request, Response], request: Request, seconds: float
    ) -> Response:
        try:
            return await method(request, timeout=max(seconds, 0), metadata=self.metadata)
        except grpc.aio.AioRpcError as failure:
            raise LaurelCallError.from_call(failure) from failure
        except asyncio.CancelledError:
            if is_cancelled():
                raise
            raise LaurelCallError(grpc.StatusCode.FAILED_PRECONDITION, "the client was closed") from None


def is_cancelled() -> bool:
    """Whether the running task was cancelled: gRPC raises the same error when the call alone was."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _pause(error: LaurelCallError) -> float | None:
    """Return the seconds after which to try again, spread so that callers do not come back together; None: never."""
    if error.retry_after is None or not error.may_pass:
        return None
    return error.retry_after.total_seconds() * random.uniform(1, 1.5)  # noqa: S311 - jitter
