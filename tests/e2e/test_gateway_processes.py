"""The gateway without servers, and servers without a gateway."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from laurel_server.runtime.probe import check_health
from tests.e2e.conftest import StartServe
from tests.e2e.curl import curl
from tests.e2e.serving import eventually


def test_a_gateway_without_servers_says_so_in_json_and_finds_them_again(start_serve: StartServe) -> None:
    serve = start_serve()
    url = f"http://{serve.run['http']}/api/v1/leaderboard/global"
    serve.process.send_signal(signal.SIGSTOP)  # or the server could be back before anybody calls
    os.kill(serve.pids["server"], signal.SIGKILL)
    answer = curl(url)
    serve.process.send_signal(signal.SIGCONT)
    assert (answer.status, answer.json["code"]) == (503, 14)
    eventually(lambda: curl(url).status == 200, "the server is back")


def test_without_a_gateway_grpc_serves_all_the_same(start_serve: StartServe) -> None:
    serve = start_serve(LAUREL_HTTP_GATEWAY="0")
    assert "envoy" not in serve.pids
    assert curl(f"http://{serve.run['http']}/healthz").body == "ok\n"


@pytest.mark.parametrize(
    "program",
    [
        pytest.param("exit 1", id="does not run"),
        pytest.param('[ "$1" = --version ] && echo "version: 0/1.40.0/x" || exit 1', id="ends at once"),
    ],
)
def test_where_envoy_does_not_run_grpc_serves_all_the_same(
    start_serve: StartServe, tmp_path: Path, program: str
) -> None:
    file = tmp_path / "envoy" / "_bin" / "envoy"
    file.parent.mkdir(parents=True)
    (tmp_path / "envoy" / "__init__.py").touch()
    file.write_text(f"#!/bin/sh\n{program}\n")
    file.chmod(0o755)
    serve = start_serve(PYTHONPATH=str(tmp_path), PATH="/usr/bin:/bin")
    assert "there is no gateway" in serve.stderr
    assert "envoy" not in serve.pids
    assert curl(f"http://{serve.run['http']}/healthz").body == "ok\n"
    asyncio.run(check_health(serve.run["grpc"]))
    assert serve.end() == 0
