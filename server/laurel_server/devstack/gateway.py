"""The configuration of the gateway, from its template and what this Laurel is like."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from string import Template
from typing import Final, NamedTuple

from laurel_server.devstack.gateway_errors import OWN_ERROR, local_replies
from laurel_server.devstack.ports import Endpoint
from laurel_server.rpc.routes import LONGEST_CALL_SECONDS, Routes, routes

DESCRIPTORS: Final = Path(str(resources.files("laurel"))) / "descriptors.binpb"
"""The contract in the form that Envoy reads."""

_ANSWER_BYTES: Final = 32 << 20
"""The largest answer that is turned into JSON: a page of 1,000 with everything in it stays far below."""

_JSON_TO_PROTO: Final = 4
"""How much longer than a message its JSON may be."""

_MARGIN_SECONDS: Final = 15
"""How much longer than the server's own deadline the gateway waits: it only has to notice a server that hangs."""


@dataclass(frozen=True, slots=True)
class Jwt:
    """An issuer whose JWTs the gateway trades for a token of ours."""

    issuer: str
    audience: str
    jwks: str = field(repr=False)
    """The issuer's public keys: a JSON Web Key Set."""
    token: str = field(repr=False)
    """What the servers get to see instead: one of LAUREL_AUTH_TOKENS."""


@dataclass(frozen=True, slots=True)
class Tls:
    """The gateway's certificate with its chain, and its key, in PEM."""

    certificate: str
    key: str = field(repr=False)


class Limits(NamedTuple):
    """Most requests a second, of all clients together and of each; 0 = no limit.

    A client is an address, of IPv6 the first 64 bits: behind so many proxies of ours that it is the one they name.
    """

    rate: int = 0
    client_rate: int = 0
    trusted_proxies: int = 0


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """Where the gateway listens, what is behind it, and whom it lets in."""

    listen: Endpoint
    servers: Sequence[Endpoint]
    """The gRPC servers."""
    operations: Sequence[Endpoint]
    """Their listeners for plain HTTP."""
    origins: Sequence[str] = ()
    """Origins of pages that may call from a browser, such as `http://localhost:3000`; `*` = all."""
    limits: Limits = Limits()  # noqa: RUF009 - frozen
    exposed: bool = False
    """Others than this machine can reach it; `/metrics`, which asks for no token, is then left out."""
    max_message_bytes: int = 4 << 20
    deadline_seconds: float = 60
    """Longest deadline of the servers."""
    tls: Tls | None = None
    """None = plain HTTP."""
    jwt: Jwt | None = None
    """Whose JWTs stand for which token; None = nobody's."""
    descriptors: Path = DESCRIPTORS


def gateway_config(options: GatewayOptions) -> str:
    """Returns the whole configuration of Envoy as YAML."""
    values = {name: json.dumps(value) for name, value in _values(options, routes()).items()}
    return Template(_resource("envoy.yaml")).substitute(values)


def _values(options: GatewayOptions, methods: Routes) -> dict[str, object]:
    return {
        "host": options.listen.host,
        "port": options.listen.port,
        "transport": _transport(options.tls),
        "servers": _load_assignment("server", options.servers),
        "operations": _load_assignment("operations", options.operations),
        "origins": [_origin(origin) for origin in options.origins],
        "rate": _bucket(options.limits.rate or _UNLIMITED),
        "client_rates": _client_buckets(options.limits.client_rate),
        "clients": _CLIENTS,
        "rate_percent": 100 if options.limits.rate or options.limits.client_rate else 0,
        "trusted_proxies": options.limits.trusted_proxies,
        "descriptors": str(options.descriptors),
        "left_out": "/metrics" if options.exposed else "-",
        "services": methods.services,
        "streams": _any_of(methods.streams),
        "long_calls": _any_of(methods.long_calls),
        "not_idempotent": _any_of(methods.not_idempotent),
        "timeout": _seconds(options.deadline_seconds),
        "long_timeout": _seconds(LONGEST_CALL_SECONDS),
        "max_body_bytes": _JSON_TO_PROTO * options.max_message_bytes,
        "max_answer_bytes": _ANSWER_BYTES,
        "retry_untouched": _retries("connect-failure,refused-stream"),
        "retry_idempotent": _retries("connect-failure,refused-stream,reset,unavailable,cancelled"),
        "jwt_providers": {"issuer": _provider(options.jwt)} if options.jwt else {},
        "jwt_rules": [{"match": {"prefix": path}, "requires": _IF_GOOD} for path in _CALLS if options.jwt],
        "script": _script(options.jwt, methods),
        "local_replies": local_replies(),
    }


def _load_assignment(cluster: str, endpoints: Sequence[Endpoint]) -> dict[str, object]:
    addresses = [
        {"endpoint": {"address": {"socket_address": {"address": each.host, "port_value": each.port}}}}
        for each in endpoints
    ]
    return {"cluster_name": cluster, "endpoints": [{"lb_endpoints": addresses}]}


def _transport(tls: Tls | None) -> dict[str, object]:
    sockets = "type.googleapis.com/envoy.extensions.transport_sockets"
    if tls is None:
        plain = {"@type": f"{sockets}.raw_buffer.v3.RawBuffer"}
        return {"name": "envoy.transport_sockets.raw_buffer", "typed_config": plain}
    certificate = {
        "certificate_chain": {"inline_string": tls.certificate},
        "private_key": {"inline_string": tls.key},
    }
    common = {
        "alpn_protocols": ["h2", "http/1.1"],
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
        "tls_certificates": [certificate],
    }
    context = {"@type": f"{sockets}.tls.v3.DownstreamTlsContext", "common_tls_context": common}
    return {"name": "envoy.transport_sockets.tls", "typed_config": context}


def _provider(jwt: Jwt) -> dict[str, object]:
    return {
        "issuer": jwt.issuer,
        "audiences": [jwt.audience],
        "local_jwks": {"inline_string": jwt.jwks},
        "require_expiration": True,
        "forward": True,
        "payload_in_metadata": "payload",
    }


_CALLS: Final = ("/api/", "/laurel.")
"""Where paths of calls begin."""

# The servers refuse those without a token of theirs, in the one form that errors have.
_IF_GOOD: Final = {
    "requires_any": {"requirements": [{"provider_name": "issuer"}, {"allow_missing_or_failed": {}}]}
}


def _script(jwt: Jwt | None, methods: Routes) -> str:
    token = json.dumps(jwt.token) if jwt else "nil"
    patterns = ", ".join(json.dumps(_lua_pattern(template)) for template in methods.board_queries)
    lists = ", ".join(f"{name} = true" for name in methods.lists)
    given = {
        "JWT_TOKEN": token,
        "BOARD_QUERIES": f"{{{patterns}}}",
        "LISTS": f"{{{lists}}}",
        "OWN_ERROR": json.dumps(OWN_ERROR),
    }
    return "".join(f"local {name} = {value}\n" for name, value in given.items()) + _resource("envoy.lua")


def _lua_pattern(template: str) -> str:
    """Returns what matches the paths of a template; in Lua every punctuation may be escaped by a per cent."""
    literal = (re.sub(r"([^a-zA-Z0-9/])", r"%\1", part) for part in re.split(r"\{[^}]+\}", template))
    return f"^{'[^/]+'.join(literal)}$"


_UNLIMITED: Final = 1_000_000
"""The bucket of all clients always takes part; so much a second no gateway does."""
_CLIENTS: Final = 50_000
"""Clients whose buckets are kept; those that were not seen for longest begin anew."""


def _bucket(rate: int) -> dict[str, object]:
    """Returns a bucket that holds two seconds' worth."""
    return {"max_tokens": 2 * rate, "tokens_per_fill": rate, "fill_interval": "1s"}


def _client_buckets(rate: int) -> Sequence[object]:
    """Returns a bucket for each client: an entry without a value stands for every one."""
    if not rate:
        return []
    return [{"entries": [{"key": "masked_remote_address"}], "token_bucket": _bucket(rate)}]


def _origin(origin: str) -> dict[str, object]:
    return {"safe_regex": {"regex": ".*"}} if origin == "*" else {"exact": origin}


def _any_of(paths: Sequence[str]) -> str:
    """Returns a pattern of whole paths; of none, one that no path matches."""
    return "|".join(map(re.escape, paths)) or "-"


def _seconds(deadline: float) -> str:
    return f"{deadline + _MARGIN_SECONDS:g}s"


def _retries(retry_on: str) -> dict[str, object]:
    """Returns what is tried again at once, on another server if there is one."""
    return {
        "retry_on": retry_on,
        "num_retries": 4,
        "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.25s"},
        "host_selection_retry_max_attempts": 20,
        "retry_host_predicate": [
            {
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
                },
            }
        ],
    }


def _resource(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")
