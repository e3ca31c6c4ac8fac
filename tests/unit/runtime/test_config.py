"""Settings: from variables to the tree, what is refused, and what may be shown."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from laurel_server.runtime.config import Settings
from laurel_server.runtime.config_program import Ledger, Program
from laurel_server.runtime.config_serving import Grpc
from laurel_server.runtime.environment import (
    ConfigError,
    is_loopback,
    known_variables,
    load_settings,
    part_types,
    unknown_variables,
)
from laurel_server.runtime.redaction import mask_url, redacted


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in known_variables():
        monkeypatch.delenv(name, raising=False)


def problems(monkeypatch: pytest.MonkeyPatch, **variables: str) -> list[str]:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    return caught.value.problems


def test_defaults_serve_on_loopback_with_own_engines() -> None:
    settings = load_settings()
    assert (settings.grpc.host, settings.grpc.port) == ("127.0.0.1", 50051)
    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 8080)
    assert settings.ledger.pg_dsn is None
    assert settings.boards.redis_url is None
    assert settings.devstack.data_dir == Path(".laurel")


def test_variables_have_flat_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "LAUREL_PG_DSN": "postgresql://a",
        "LAUREL_REDIS_URL": "redis://b",
        "LAUREL_GRPC_PORT": "1",
        "LAUREL_HTTP_PORT": "2",
        "LAUREL_DATA_DIR": "/data",
        "LAUREL_SANDBOX": "1",
        "LAUREL_SANDBOX_NOW": "2026-01-01T00:00:00Z",
        "LAUREL_DRAIN_SECONDS": "3",
    }.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.ledger.pg_dsn is not None
    assert settings.ledger.pg_dsn.get_secret_value() == "postgresql://a"
    assert settings.boards.redis_url is not None
    assert settings.boards.redis_url.get_secret_value() == "redis://b"
    assert (settings.grpc.port, settings.http.port, settings.devstack.drain_seconds) == (1, 2, 3)
    assert settings.devstack.data_dir == Path("/data")
    assert settings.sandbox.enabled
    assert settings.sandbox.now == datetime(2026, 1, 1, tzinfo=UTC)


def test_an_empty_variable_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUREL_GRPC_PORT", "")
    assert load_settings().grpc.port == 50051


def test_tests_can_give_fields_by_name() -> None:
    settings = Settings(grpc=Grpc(port=1), ledger=Ledger(pg_dsn="postgresql://a"))
    assert settings.grpc.port == 1
    assert settings.ledger.pg_dsn is not None


def test_is_frozen() -> None:
    with pytest.raises(ValidationError):
        load_settings().grpc.port = 1  # type: ignore[misc]


def test_every_part_is_read_from_the_environment() -> None:
    assert list(part_types()) == list(Settings.model_fields)


def test_no_two_fields_share_a_variable() -> None:
    assert len(known_variables()) == len(set(known_variables()))


def test_all_that_is_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told = problems(
        monkeypatch,
        LAUREL_GRPC_PORT="70000",
        LAUREL_SANDBOX="perhaps",
        LAUREL_SANDBOX_NOW="2026-01-01T00:00:00",
        LAUREL_PROGRAM_TIME_ZONE="Mars/Base",
        LAUREL_LEDGER_LINGER_MAX_MS="nan",
    )
    assert [line.partition(":")[0] for line in told] == [
        "LAUREL_GRPC_PORT",
        "LAUREL_LEDGER_LINGER_MAX_MS",
        "LAUREL_SANDBOX",
        "LAUREL_SANDBOX_NOW",
        "LAUREL_PROGRAM_TIME_ZONE",
    ]


def test_rules_about_two_fields_name_both(monkeypatch: pytest.MonkeyPatch) -> None:
    (told,) = problems(monkeypatch, LAUREL_LEDGER_POOL_MIN="9", LAUREL_LEDGER_POOL_MAX="3")
    assert "LAUREL_LEDGER_POOL_MIN" in told
    assert "LAUREL_LEDGER_POOL_MAX" in told


@pytest.mark.parametrize("tokens", ["LAUREL_AUTH_TOKENS", "LAUREL_AUTH_TOKENS_FILE"])
def test_a_sandbox_beside_credentials_is_refused(monkeypatch: pytest.MonkeyPatch, tokens: str) -> None:
    told = problems(monkeypatch, LAUREL_SANDBOX="1", **{tokens: "{}"})[0]
    assert "LAUREL_SANDBOX" in told
    assert tokens in told


@pytest.mark.parametrize("variable", ["LAUREL_GRPC_HOST", "LAUREL_HTTP_HOST"])
def test_an_open_server_stays_on_loopback(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    (told,) = problems(monkeypatch, **{variable: "0.0.0.0"})
    assert told.startswith(f"{variable}=0.0.0.0")
    assert "LAUREL_AUTH_TOKENS" in told


def test_a_certificate_needs_its_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = {"LAUREL_HTTP_TLS_CERTIFICATE_FILE": tmp_path / "a", "LAUREL_HTTP_TLS_KEY_FILE": tmp_path / "b"}
    for path in files.values():
        path.write_text("s3cret, and no PEM")
    (alone,) = problems(monkeypatch, LAUREL_HTTP_TLS_CERTIFICATE_FILE=str(tmp_path / "a"))
    assert "LAUREL_HTTP_TLS_KEY_FILE" in alone
    (told,) = problems(monkeypatch, **{name: str(path) for name, path in files.items()})
    assert "are no certificate" in told
    assert "s3cret" not in told


def test_a_test_clock_is_for_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    (told,) = problems(monkeypatch, LAUREL_SANDBOX="1", LAUREL_GRPC_PROCESSES="2")
    assert "LAUREL_SANDBOX" in told
    assert "LAUREL_GRPC_PROCESSES" in told


def test_with_tokens_others_may_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUREL_AUTH_TOKENS", '{"secret-token": {"caller": "shop", "scopes": ["read"]}}')
    monkeypatch.setenv("LAUREL_GRPC_HOST", "0.0.0.0")
    settings = load_settings()
    assert "secret-token" not in str(redacted(settings)) + repr(settings)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("ledger.example.com", False),
        ("localhost.example.com", False),
        ("", False),
    ],
)
def test_loopback(host: str, *, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_unknown_variables_are_named_with_what_was_meant() -> None:
    given = {
        "LAUREL_GRPCPORT": "1",
        "LAUREL_WHATEVER": "1",
        "LAUREL_GRPC_PORT": "1",
        "LAUREL_TARGET": "a",
        "PATH": "",
    }
    assert unknown_variables(given) == {"LAUREL_GRPCPORT": "LAUREL_GRPC_PORT", "LAUREL_WHATEVER": None}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            "postgresql://laurel:secret@db:5432/ledger?sslmode=require",
            "postgresql://laurel:***@db:5432/ledger?sslmode=require",
        ),
        ("postgresql://laurel@db/ledger", "postgresql://laurel@db/ledger"),
        (
            "postgresql://db/ledger?user=laurel&password=secret",
            "postgresql://db/ledger?user=laurel&password=***",
        ),
        (
            "postgresql://db/ledger?passfile=secret&sslkey=secret&x=1",
            "postgresql://db/ledger?passfile=***&sslkey=***&x=1",
        ),
        ("postgresql://laurel:sec@ret/more:x@db/ledger", "postgresql://laurel:***@db/ledger"),
        (
            "postgresql://laurel:secret@/ledger?host=/run/a%20b",
            "postgresql://laurel:***@/ledger?host=/run/a%20b",
        ),
        ("redis://:secret@127.0.0.1:6379/0", "redis://:***@127.0.0.1:6379/0"),
        ("unix://:secret@/run/redis.sock?db=0", "unix://:***@/run/redis.sock?db=0"),
        ("redis://cache:6379/0", "redis://cache:6379/0"),
        ("host=db user=laurel password=secret", "***"),
        ("postgresql://db/ledger?options=a@secret", "***"),
    ],
)
def test_addresses_are_shown_without_secrets(url: str, shown: str) -> None:
    assert mask_url(url) == shown


def test_redacted_settings_hold_everything_but_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUREL_PG_DSN", "postgresql://laurel:secret@db/ledger")
    monkeypatch.setenv("LAUREL_REDIS_URL", "redis://:secret@cache")
    shown = redacted(load_settings())
    assert list(shown) == list(Settings.model_fields)
    assert shown["ledger"]["pg_dsn"] == "postgresql://laurel:***@db/ledger"
    assert shown["grpc"]["port"] == 50051
    assert "secret" not in str(shown)


def test_a_representation_holds_no_secret() -> None:
    assert "secret" not in repr(Ledger(pg_dsn="postgresql://laurel:secret@db/ledger"))


def test_grace_is_a_duration() -> None:
    assert Program(grace_seconds=90).grace == timedelta(minutes=1, seconds=30)
