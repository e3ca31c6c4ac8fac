"""What calls come in by: listeners, callers, limits of reads and streams."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, SecretStr
from pydantic_settings import SettingsConfigDict

from laurel_server.runtime.config_part import Part, Port


class Grpc(Part):
    """The gRPC listener."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_GRPC_")

    host: str = "127.0.0.1"
    """Address to listen on. Without credentials only a loopback address is accepted."""

    port: Port = 50051
    """TCP port; 0 = a free one, kept until `serve` ends."""

    processes: Annotated[int, Field(ge=0, le=64)] = 0
    """Server processes that `serve` starts, each for one core; all listen on the port, and the gateway balances over
    them. 0 = one for each core, 4 at most; one alone beside a test clock, which is set in one process."""

    shared_port: Port | None = None
    """TCP port that this process listens on beside its own, together with others; `serve` sets it."""

    max_message_bytes: Annotated[int, Field(ge=65536, le=64 << 20)] = 4 << 20
    """Largest request and response, in bytes."""

    max_concurrent_calls: PositiveInt = 8192
    """Unary calls one process works on at a time; a call beyond it is refused with OVERLOADED."""

    default_deadline_seconds: PositiveFloat = 10
    """Deadline of a unary call whose caller set none, in seconds."""

    max_deadline_seconds: PositiveFloat = 60
    """Longest deadline a caller of a unary call can ask for, in seconds."""

    keepalive_seconds: PositiveFloat = 60
    """A connection that was silent this long is pinged, in seconds."""

    keepalive_timeout_seconds: PositiveFloat = 20
    """A connection that leaves a ping unanswered this long is closed, in seconds."""

    max_connection_age_seconds: NonNegativeFloat = 0
    """Connections are asked to reconnect after this time, so that load spreads, in seconds; 0 = never."""


class Http(Part):
    """The gateway that `laurel serve` starts: REST, server-sent events, gRPC-Web, and gRPC on the same port."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_HTTP_")

    host: str = "127.0.0.1"
    """Address to listen on. Without credentials only a loopback address is accepted."""

    port: Port = 8080
    """TCP port; 0 = a free one, kept until `serve` ends."""

    gateway: bool = True
    """Starts Envoy; 0 leaves it out, and the port then serves what the operations listener does."""

    tls_certificate_file: Path | None = None
    """The gateway's certificate with its chain, in PEM; read at start. Unset: plain HTTP."""

    tls_key_file: Path | None = None
    """The key of the certificate, in PEM."""

    cors_origins: str = "http://localhost:3000"
    """Origins of pages that may call from browsers, separated by commas; `*` = all, `none` = no other's."""

    rate_limit: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Requests a second that the gateway lets through, of all clients together; 0 = all."""

    client_rate_limit: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Requests a second that the gateway lets through of each client, which is an address (of IPv6 its first 64 bits);
    0 = all. For a second a client may send twice as many."""

    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = 0
    """Proxies of yours in front of the gateway: so many entries from the end of `x-forwarded-for` are believed, and the
    client is the one before them."""

    threads: Annotated[int, Field(ge=1, le=64)] = 1
    """Threads of the gateway that do its work."""

    @property
    def origins(self) -> tuple[str, ...]:
        """`cors_origins` one by one."""
        listed = (origin.strip() for origin in self.cors_origins.split(","))
        return tuple(origin for origin in listed if origin not in {"", "none"})


class Operations(Part):
    """The server's own listener for plain HTTP: `/metrics`, `/healthz`, and what the gateway passes on to it."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_OPERATIONS_")

    host: str = "127.0.0.1"
    """Address to listen on; it asks for no token, so keep it away from strangers."""

    port: Port = 0
    """TCP port; 0 = a free one. Of several server processes each further one listens on the next port."""


class Ingest(Part):
    """Awards that come as streams."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_INGEST_")

    max_in_flight: Annotated[int, Field(ge=1, le=100_000)] = 1024
    """Awards of one stream that are read and not yet answered; then the server reads no more until some are."""


class Reads(Part):
    """The reading calls."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_READS_")

    cache_max_age_ms: Annotated[float, Field(ge=0, le=1000)] = 1000
    """A cached top page is at most this old, in milliseconds; 0 = no cache."""

    cache_max_pages: PositiveInt = 1024
    """Pages that one process keeps; the least recently used goes first."""


class Watch(Part):
    """Live streams."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_WATCH_")

    tick_ms: Annotated[float, Field(ge=10, le=10_000)] = 100
    """Changes within this time reach a watcher as one message, in milliseconds."""

    heartbeat_seconds: Annotated[float, Field(ge=1, le=300)] = 15
    """A silent stream gets a heartbeat after this time, in seconds."""

    write_timeout_seconds: Annotated[float, Field(ge=1, le=300)] = 30
    """A reader that accepts nothing for this long is ended with READER_TOO_SLOW, in seconds."""

    max_streams: PositiveInt = 20_000
    """Open streams per process; one beyond it is refused with OVERLOADED."""


class Auth(Part):
    """Who may call: tokens with callers and scopes. Unset: everybody, and then on loopback addresses only."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_AUTH_")

    tokens: SecretStr | None = None
    """`{"TOKEN": {"caller": "shop", "scopes": ["read", "write", "admin"]}}`, or the path of a file with that."""

    tokens_file: Path | None = None
    """The path of such a file, where variables may be seen by others."""


class Jwt(Part):
    """JSON Web Tokens that the gateway trades for one of the tokens. All four belong together."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_JWT_")

    jwks_file: Path | None = None
    """File with the issuer's public keys, a JSON Web Key Set; read at start."""

    issuer: str = ""
    """The `iss` that a JWT must have."""

    audience: str = ""
    """The `aud` that a JWT must have."""

    token: SecretStr | None = None
    """The one of LAUREL_AUTH_TOKENS with which holders of a good JWT call."""
