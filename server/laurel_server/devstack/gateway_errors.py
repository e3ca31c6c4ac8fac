"""How the gateway's own errors look: as those of the servers do, by Envoy's `local_reply_config`."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

# Canonical gRPC codes of what the gateway itself answers.
_CODES: Final = {
    HTTPStatus.BAD_REQUEST: 3,
    HTTPStatus.UNAUTHORIZED: 16,
    HTTPStatus.FORBIDDEN: 7,
    HTTPStatus.NOT_FOUND: 5,
    HTTPStatus.METHOD_NOT_ALLOWED: 12,
    HTTPStatus.REQUEST_TIMEOUT: 4,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: 8,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: 3,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: 3,
    HTTPStatus.TOO_MANY_REQUESTS: 8,
    HTTPStatus.BAD_GATEWAY: 14,
    HTTPStatus.SERVICE_UNAVAILABLE: 14,
    HTTPStatus.GATEWAY_TIMEOUT: 4,
}
_INTERNAL: Final = 13

OWN_ERROR: Final = "x-laurel-own-error"
"""Marks an error of the gateway's own for its script, which takes it off again."""

# What cannot be turned into a request, and what is too much; the others have no reason of ours.
_REASONS: Final = {HTTPStatus.BAD_REQUEST: "INVALID_FIELD", HTTPStatus.TOO_MANY_REQUESTS: "RATE_LIMITED"}


def local_replies() -> dict[str, object]:
    """Returns how the gateway's own errors look: JSON, as those of the servers do, except to clients of gRPC."""
    known = [_mapper(code, _details(status), _status("EQ", status)) for status, code in _CODES.items()]
    return {"mappers": [*known, _mapper(_INTERNAL, ())]}


def _mapper(code: int, details: Sequence[object], *filters: object) -> dict[str, object]:
    body = {"json_format": {"code": code, "message": "%LOCAL_REPLY_BODY%", "details": details}}
    return {
        "filter": {"and_filter": {"filters": [_NOT_GRPC, *filters, _ANY]}},
        "body_format_override": body,
        "headers_to_add": [{"header": {"key": OWN_ERROR, "value": "1"}}],
    }


def _details(status: HTTPStatus) -> Sequence[object]:
    if status not in _REASONS:
        return ()
    kind = "type.googleapis.com/google.rpc.ErrorInfo"
    return ({"@type": kind, "reason": _REASONS[status], "domain": "laurel", "metadata": {}},)


def _header(name: str, **match: object) -> dict[str, object]:
    return {"header_filter": {"header": {"name": name, "treat_missing_header_as_empty": True, **match}}}


# The transcoder gives a REST call the content type of gRPC, and keeps the path that it had.
_NOT_GRPC: Final = {
    "or_filter": {
        "filters": [
            _header("content-type", string_match={"prefix": "application/grpc"}, invert_match=True),
            _header("x-envoy-original-path", string_match={"prefix": "/"}),
        ]
    }
}


def _status(op: str, status: int) -> dict[str, object]:
    comparison = {"op": op, "value": {"default_value": status, "runtime_key": "none"}}
    return {"status_code_filter": {"comparison": comparison}}


_ANY: Final = _status("GE", 400)  # `and_filter` wants two at least
