"""`laurel serve` from outside: what it starts, keeps running and leaves behind.

Most tests are about the supervisor alone and give it a server that only answers health checks.
"""

import asyncio
import json
import os
import signal
import socket
import stat
import sys
from functools import partial
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

import asyncpg
import pytest
from redis import Redis
from redis.exceptions import RedisError

from laurel_server.runtime.probe import check_health
from tests.e2e.conftest import StartServe
from tests.e2e.serving import STANDIN, Serve, eventually, in_time, is_alive, processes_of
from tests.ports import free_port

_NAMES = ("postgres", "redis", "server", "envoy")
_BACK_SECONDS = 5
_CLEAN_END = {
    "postgres": signal.SIGINT,
    "redis": signal.SIGTERM,
    "server": signal.SIGTERM,
    "envoy": signal.SIGTERM,
}


@pytest.fixture
def start(start_serve: StartServe) -> StartServe:
    """Starts `serve` with the stand-in of a server."""

    def started(mode: str = "healthy", **arguments: object) -> Serve:
        return start_serve(command=(sys.executable, str(STANDIN), mode), **arguments)

    return started


def ask_ledger(dsn: str, query: str) -> object:
    async def ask() -> object:
        connection = await asyncpg.connect(dsn, timeout=2)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(ask())


def answers(serve: Serve, name: str) -> bool:
    """Tells whether a child answers a real request at its address in the run file."""
    try:
        if name == "postgres":
            return ask_ledger(serve.run["pg_dsn"], "SELECT 42") == 42
        if name == "redis":
            with Redis.from_url(serve.run["redis_url"], socket_timeout=2) as client:
                return bool(client.ping())
        if name == "envoy":
            with urlopen(f"http://{serve.run['http']}/livez", timeout=2) as answer:
                return bool(answer.read() == b"ok\n")
        asyncio.run(check_health(serve.run["grpc"]))
    except (OSError, HTTPException, asyncpg.PostgresError, RedisError):
        return False
    return True


def all_replaced(serve: Serve, before: dict[str, int]) -> bool:
    """Tells whether every child is another process than before and answers."""
    return not before.items() & serve.pids.items() and all(answers(serve, name) for name in _NAMES)


def refusal(serve: Serve) -> str:
    """Returns what a `serve` that does not start says; it must leave nothing running and nothing on standard output."""
    output, _ = serve.process.communicate(timeout=60)
    assert (serve.process.returncode, output) == (1, "")
    assert "Traceback" not in serve.stderr
    return serve.stderr


def test_announces_what_answers_in_the_run_file(start_serve: StartServe) -> None:
    serve = start_serve(ready=False)
    ready = serve.wait_until_ready()
    run = serve.run
    assert ready == {"ready": True, "grpc": run["grpc"], "http": run["http"]}
    assert list(run) == ["grpc", "http", "pg_dsn", "redis_url", "kafka", "processes"]
    assert run["kafka"] is None
    assert sorted(serve.pids) == sorted(_NAMES)
    assert all(is_alive(pid) for pid in serve.pids.values())
    assert all(answers(serve, name) for name in _NAMES)


def test_keeps_secrets_to_the_user(laurel: Serve) -> None:
    for name in ("run.json", "secrets.json"):
        assert stat.S_IMODE((laurel.data_dir / name).stat().st_mode) == 0o600
    passwords = json.loads((laurel.data_dir / "secrets.json").read_bytes()).values()
    command_lines = "".join(processes_of(laurel.data_dir).values())
    logs = "".join(log.read_text() for log in (laurel.data_dir / "logs").iterdir())
    assert not any(password in command_lines + logs + laurel.stderr for password in passwords)


def test_gives_laurel_no_power_over_the_cluster(laurel: Serve) -> None:
    question = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
    assert ask_ledger(laurel.run["pg_dsn"], question) is False


def test_refuses_clients_without_the_password(laurel: Serve) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        ask_ledger(laurel.run["pg_dsn"].replace("postgresql://laurel:", "postgresql://laurel:x"), "SELECT 1")
    without = "redis://" + laurel.run["redis_url"].partition("@")[2]
    with Redis.from_url(without) as client, pytest.raises(RedisError):
        client.ping()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_stops_everything_when_asked(start_serve: StartServe, number: signal.Signals) -> None:
    serve = start_serve()
    pids = serve.pids.values()
    assert serve.end(number) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert processes_of(serve.data_dir) == {}
    assert not (serve.data_dir / "run.json").exists()


def test_stops_while_it_starts(start: StartServe) -> None:
    serve = start("deaf", ready=False)
    eventually(
        lambda: any("standin_server" in command for command in processes_of(serve.data_dir).values()), "start"
    )
    assert serve.end() == 0
    assert processes_of(serve.data_dir) == {}


def test_kills_a_server_that_does_not_drain_in_its_time(start: StartServe) -> None:
    serve = start("stubborn", LAUREL_DRAIN_SECONDS="0.5")
    assert serve.end() == 0
    assert processes_of(serve.data_dir) == {}


def test_a_second_signal_hurries_the_stop(start: StartServe) -> None:
    serve = start("stubborn", LAUREL_DRAIN_SECONDS="600")
    serve.process.send_signal(signal.SIGINT)
    serve.process.send_signal(signal.SIGTERM)
    assert serve.process.wait(60) == 0
    assert processes_of(serve.data_dir) == {}


@pytest.mark.parametrize("name", _NAMES)
@pytest.mark.parametrize("how", ["killed", "clean"])
def test_restarts_a_dead_child_at_its_address(start_serve: StartServe, name: str, how: str) -> None:
    serve = start_serve()
    before = serve.run

    def end() -> None:
        old_pid = serve.pids[name]
        os.kill(old_pid, signal.SIGKILL if how == "killed" else _CLEAN_END[name])
        eventually(lambda: serve.pids[name] != old_pid and answers(serve, name), f"{name} is back")
        assert not Path(f"/proc/{old_pid}").exists()

    in_time(_BACK_SECONDS, end)
    after = serve.run
    del before["processes"], after["processes"]
    assert after == before


def test_restarts_all_children_killed_at_once_again_and_again(start: StartServe) -> None:
    serve = start()

    def kill_all() -> None:
        before = serve.pids
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)
        eventually(partial(all_replaced, serve, before), "all are back")

    for _ in range(4):
        in_time(_BACK_SECONDS, kill_all)
    assert serve.end() == 0
    assert processes_of(serve.data_dir) == {}


def test_keeps_committed_rows_over_every_kind_of_death(start: StartServe) -> None:
    serve = start()
    ask_ledger(serve.run["pg_dsn"], "CREATE TABLE survivor AS SELECT 7 AS n")
    pid = serve.pids["postgres"]
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: serve.pids["postgres"] != pid and answers(serve, "postgres"), "PostgreSQL is back")
    serve.process.kill()
    serve.process.wait()
    again = start(data_dir=serve.data_dir)
    assert ask_ledger(again.run["pg_dsn"], "SELECT n FROM survivor") == 7


def test_children_die_with_a_killed_supervisor(start: StartServe) -> None:
    serve = start()
    serve.process.kill()
    eventually(lambda: processes_of(serve.data_dir) == {}, "its children end")


@pytest.mark.parametrize("everything", [False, True], ids=["supervisor killed", "everything killed"])
def test_starts_again_quickly_after_a_kill(start_serve: StartServe, *, everything: bool) -> None:
    serve = start_serve()

    def kill_and_start() -> None:
        nonlocal serve
        for pid in [serve.process.pid, *(processes_of(serve.data_dir) if everything else ())]:
            os.kill(pid, signal.SIGKILL)
        serve.process.wait()
        serve = start_serve(data_dir=serve.data_dir)

    in_time(5, kill_and_start)
    assert all(answers(serve, name) for name in _NAMES)


def test_replaces_a_server_that_outlives_its_supervisor(start: StartServe) -> None:
    serve = start("stubborn")
    old = serve.pids["server"]
    serve.process.kill()
    serve.process.wait()
    assert is_alive(old)
    start(data_dir=serve.data_dir)
    assert not is_alive(old)


def test_two_run_side_by_side(start: StartServe) -> None:
    both = [start(ready=False), start(ready=False)]
    ready = [serve.wait_until_ready() for serve in both]
    assert len({address for line in ready for address in (line["grpc"], line["http"])}) == 4
    assert all(answers(serve, name) for serve in both for name in _NAMES)


def test_a_second_one_on_the_same_data_is_refused(laurel: Serve) -> None:
    second = Serve(laurel.data_dir)
    said = refusal(second)
    assert f"{laurel.data_dir} is in use by another `laurel serve` (process {laurel.process.pid})" in said
    assert "LAUREL_DATA_DIR" in said
    assert all(answers(laurel, name) for name in _NAMES)


@pytest.mark.parametrize("name", ["with space", "quo'te\"s \\ and 100%,ü", "long-" * 40])
def test_works_in_any_directory(start: StartServe, tmp_path: Path, name: str) -> None:
    serve = start(data_dir=tmp_path / name)
    assert all(answers(serve, name) for name in _NAMES)
    assert serve.end() == 0
    again = start(data_dir=serve.data_dir)
    assert all(answers(again, name) for name in _NAMES)


def test_needs_nothing_of_the_environment(
    start: StartServe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "somewhere").mkdir()
    monkeypatch.chdir(tmp_path / "somewhere")
    odd = {
        "HOME": "",
        "PGPORT": "1",
        "PGHOST": "nowhere",
        "PGSSLMODE": "require",
        "PGOPTIONS": "-c x",
        "LC_ALL": "xx",
    }
    proxies = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "no_proxy": ""}
    serve = start(new=True, **odd, **proxies)
    assert answers(serve, "server")


def test_takes_a_relative_data_directory(
    start: StartServe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    start(data_dir=Path("here"))
    assert (tmp_path / "here" / "run.json").exists()


def test_uses_engines_of_the_environment(start: StartServe, laurel: Serve) -> None:
    engines = {"LAUREL_PG_DSN": laurel.run["pg_dsn"], "LAUREL_REDIS_URL": laurel.run["redis_url"]}
    guest = start(**engines)
    assert list(guest.pids) == ["envoy", "server"]
    assert (guest.run["pg_dsn"], guest.run["redis_url"]) == tuple(engines.values())


@pytest.mark.parametrize(
    ("variable", "address"),
    [
        ("LAUREL_PG_DSN", "postgresql://user:hidden@127.0.0.1:1/ledger"),
        ("LAUREL_PG_DSN", "mysql://user:hidden@127.0.0.1/ledger"),
        ("LAUREL_PG_DSN", "postgresql://user:hidden"),
        ("LAUREL_REDIS_URL", "redis://:hidden@127.0.0.1:1/0"),
        ("LAUREL_REDIS_URL", "http://:hidden@127.0.0.1:1/0"),
    ],
)
def test_names_the_variable_of_an_engine_that_does_not_answer(
    start: StartServe, variable: str, address: str
) -> None:
    said = refusal(start(ready=False, **{variable: address}))
    assert variable in said
    assert "hidden" not in said


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"LAUREL_SANDBOX": "1", "LAUREL_AUTH_TOKENS": "{}"}, ["LAUREL_SANDBOX", "LAUREL_AUTH_TOKENS"]),
        (
            {"LAUREL_SANDBOX": "1", "LAUREL_AUTH_TOKENS_FILE": "x"},
            ["LAUREL_SANDBOX", "LAUREL_AUTH_TOKENS_FILE"],
        ),
        ({"LAUREL_AUTH_TOKENS": "{}"}, ["LAUREL_AUTH_TOKENS"]),
        ({"LAUREL_GRPC_HOST": "0.0.0.0"}, ["LAUREL_GRPC_HOST"]),
        (
            {"LAUREL_GRPC_PORT": "70000", "LAUREL_LEDGER_LANES": "0"},
            ["LAUREL_GRPC_PORT", "LAUREL_LEDGER_LANES"],
        ),
    ],
)
def test_refuses_settings_that_are_unsafe_or_wrong(
    start: StartServe, environment: dict[str, str], named: list[str]
) -> None:
    serve = start(ready=False, **environment)
    said = refusal(serve)
    assert all(variable in said for variable in named)
    assert not serve.data_dir.exists()


@pytest.mark.parametrize("variable", ["LAUREL_GRPC_PORT", "LAUREL_HTTP_PORT"])
def test_names_the_variable_of_a_port_that_is_taken(start: StartServe, variable: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = refusal(start(ready=False, **{variable: str(taken.getsockname()[1])}))
    assert variable in said


def test_listens_where_it_is_told(start: StartServe) -> None:
    port = free_port()
    assert start(LAUREL_GRPC_PORT=str(port)).run["grpc"] == f"127.0.0.1:{port}"


def test_shows_why_a_server_does_not_start(start: StartServe) -> None:
    serve = start("broken", ready=False)
    assert "no luck today" in refusal(serve)
    assert processes_of(serve.data_dir) == {}


def test_gives_up_on_a_server_that_never_becomes_ready(start: StartServe) -> None:
    serve = start("deaf", ready=False, LAUREL_START_SECONDS="2")
    assert "server was not ready within 2 s" in refusal(serve)
    assert processes_of(serve.data_dir) == {}


def test_data_that_is_not_its_own_is_refused(start: StartServe, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "LAUREL_DATA_DIR" in refusal(start(ready=False, data_dir=tmp_path / "file"))
