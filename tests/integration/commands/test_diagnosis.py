"""What `laurel doctor` finds on real engines and on what is wrong."""

import socket
from pathlib import Path

import pytest

from laurel_server.commands.diagnosis import Finding, State, diagnose
from laurel_server.postgres import schema
from laurel_server.runtime.environment import known_variables
from tests.integration import engines
from tests.integration.engines import Engine


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in known_variables():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LAUREL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LAUREL_GRPC_PORT", "0")
    monkeypatch.setenv("LAUREL_HTTP_PORT", "0")


async def findings(subject: str) -> list[Finding]:
    return [finding for finding in await diagnose() if finding.subject == subject]


async def test_nothing_is_wrong_here(tmp_path: Path) -> None:
    found = await diagnose()
    assert [finding for finding in found if finding.state is not State.OK] == []
    subjects = {finding.subject for finding in found}
    assert subjects == {"python", "packages", "data", "ports", "postgresql", "redis", "envoy", "schema"}
    assert not (tmp_path / "data").exists()


async def test_embedded_engines_are_told_with_version_and_place() -> None:
    (postgres,), (redis,), (envoy,) = [await findings(name) for name in ("postgresql", "redis", "envoy")]
    assert postgres.detail.startswith("18.")
    assert "pginstall18/bin/postgres" in postgres.detail
    assert "redis-server" in redis.detail
    assert "envoy/_bin/envoy" in envoy.detail


async def test_a_taken_port_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("LAUREL_HTTP_PORT", str(taken.getsockname()[1]))
        grpc, http = await findings("ports")
    assert (grpc.state, http.state) == (State.OK, State.WRONG)
    assert "LAUREL_HTTP_PORT" in http.detail


async def test_a_place_that_cannot_be_written_to_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUREL_DATA_DIR", "/dev/null/data")
    (data,) = await findings("data")
    assert data.state is State.WRONG
    assert "LAUREL_DATA_DIR" in data.detail


async def test_wrong_settings_are_told_without_asking_them_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUREL_LEDGER_LANES", "0")
    found = await diagnose()
    assert [finding.subject for finding in found] == ["python", "packages", "settings"]
    assert found[-1].state is State.WRONG
    assert "LAUREL_LEDGER_LANES" in found[-1].detail


async def test_a_misspelt_variable_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUREL_GRPCPORT", "1")
    (setting,) = await findings("settings")
    assert setting.state is State.WARNING
    assert setting.advice == "did you mean LAUREL_GRPC_PORT?"


async def test_a_ledger_at_the_newest_schema_is_well(
    ledger_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAUREL_PG_DSN", ledger_dsn)
    assert [finding.state for finding in await findings("schema")] == [State.OK]
    assert [finding.state for finding in await findings("clock")] == [State.OK]
    (postgres,) = await findings("postgresql")
    assert "external (LAUREL_PG_DSN)" in postgres.detail


async def test_a_ledger_that_may_lose_what_was_acknowledged_is_a_warning(
    ledger_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAUREL_PG_DSN", ledger_dsn)  # that of tests need not survive a power cut
    (found,) = await findings("durability")
    assert found.state is State.WARNING
    assert found.detail.startswith("fsync, full_page_writes, synchronous_commit of PostgreSQL is off")


async def test_a_ledger_that_is_behind_is_wrong(postgres: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUREL_PG_DSN", engines.dsn(postgres, "postgres"))
    (found,) = await findings("schema")
    assert found.state is State.WRONG
    assert found.detail == f"the ledger is at nothing, this program at {schema.head()}"
    assert found.advice == "run `laurel migrate`"


async def test_an_engine_that_does_not_answer_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUREL_PG_DSN", "postgresql://laurel:secret@127.0.0.1:1/ledger")
    monkeypatch.setenv("LAUREL_REDIS_URL", "redis://:secret@127.0.0.1:1/0")
    found = await diagnose()
    wrong = {finding.subject: finding.detail for finding in found if finding.state is State.WRONG}
    assert list(wrong) == ["postgresql", "redis"]
    assert "LAUREL_PG_DSN" in wrong["postgresql"]
    assert "LAUREL_REDIS_URL" in wrong["redis"]
    assert "secret" not in str(found)


async def test_an_old_external_redis_is_a_warning(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUREL_REDIS_URL", redis_url)
    (redis,) = await findings("redis")
    version = tuple(int(number) for number in redis.detail.partition(",")[0].split("."))
    assert redis.state is (State.WARNING if version < (7, 2) else State.OK)
