"""Lets in who shows a token with the scope that the method's contract asks for."""

from typing import Final

from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.rpc.callers import Callers, Grant
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.interceptors.handler import Handler, Payload
from laurel_server.rpc.methods import Method

_KEY: Final = "authorization"
_SCHEME: Final = "bearer"


class Auth:
    """Names the caller of a call by its token, or refuses it."""

    name = "auth"

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    def wrap(self, method: Method, handler: Handler) -> Handler:
        """Return a handler that only those with the method's scope reach."""
        scope = method.scope

        async def authorized(request: Payload, call: CallContext) -> Payload | None:
            grant = self._grant_of(call)
            if scope not in grant.scopes:
                raise LaurelError(
                    Reason.SCOPE_MISSING,
                    f"{method.name} needs the scope {scope}, which this token does not have",
                    metadata={"scope": scope},
                )
            call.caller = grant.caller
            return await handler(request, call)

        return authorized

    def _grant_of(self, call: CallContext) -> Grant:
        """Return what the call's token allows. CREDENTIALS_MISSING, CREDENTIALS_INVALID."""
        scheme, _, token = _credentials(call).partition(" ")
        if scheme.lower() != _SCHEME or not token:
            raise LaurelError(Reason.CREDENTIALS_INVALID, "send `authorization: Bearer TOKEN`")
        grant = self._callers.grant_of(token)
        if grant is None:
            raise LaurelError(Reason.CREDENTIALS_INVALID, "the token is not known")
        return grant


def _credentials(call: CallContext) -> str:
    given = [value for key, value in call.metadata if key == _KEY]
    if not given or not given[0]:
        raise LaurelError(
            Reason.CREDENTIALS_MISSING, "this server asks for a token: `authorization: Bearer TOKEN`"
        )
    if len(given) > 1 or not isinstance(given[0], str):
        raise LaurelError(Reason.CREDENTIALS_INVALID, "send one `authorization` alone")
    return given[0]
