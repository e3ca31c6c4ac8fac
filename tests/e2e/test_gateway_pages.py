"""Every path of the gateway beside the calls themselves: HEAD, health, metrics and the document of the API."""

import json
import re
from typing import Any

import pytest

from laurel_server.runtime.openapi import openapi_page
from tests.e2e.curl import curl
from tests.e2e.serving import Serve


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/admin",
        "/openapi.json",
        "/web/app.js",
        "/healthz",
        "/livez",
        "/api/v1/leaderboard/global?limit=3",
        "/api/v1/leaderboard/rank/nobody-at-all",
        "/api/v1/leaderboard/global?limit=many",
        "/api/v1/nothing",
        "/nothing",
    ],
)
@pytest.mark.parametrize("version", ["--http1.1", "--http2-prior-knowledge"])
def test_head_answers_as_get_does_without_the_body(laurel: Serve, path: str, version: str) -> None:
    url = f"http://{laurel.run['http']}{path}"
    got = curl(url, version)
    seen = curl(url, version, "--head")
    assert (seen.status, seen.body) == (got.status, "")
    assert seen.headers["content-type"] == got.headers["content-type"]


def test_head_of_a_watch_does_not_begin_one(api: str) -> None:
    assert curl(f"{api}/leaderboard/watch", "--head").status == 404


def test_operators_find_health_and_metrics(laurel: Serve) -> None:
    assert curl(f"http://{laurel.run['http']}/healthz").body == "ok\n"
    assert "laurel_rpc_calls_total" in curl(f"http://{laurel.run['http']}/metrics").body


def test_the_document_of_the_api_is_served(laurel: Serve) -> None:
    document = curl(f"http://{laurel.run['http']}/openapi.json").json
    assert document["openapi"].startswith("3.")
    assert document["paths"]["/api/v1/rewards/award"]["post"]["operationId"] == "AwardPoints"


OPERATIONS = [
    pytest.param(verb.upper(), path, operation, id=operation["operationId"])
    for path, verbs in json.loads(openapi_page().body)["paths"].items()
    for verb, operation in verbs.items()
]


@pytest.mark.parametrize(("verb", "path", "operation"), OPERATIONS)
def test_every_path_of_the_document_leads_to_its_method(
    laurel: Serve, verb: str, path: str, operation: dict[str, Any]
) -> None:
    url = f"http://{laurel.run['http']}{re.sub(r'{[^}]+}', 'unheard-of', path)}"
    if "text/event-stream" in operation["responses"]["200"]["content"]:
        url += "?resume_token=broken"  # is refused at once
    answer = curl(url, "-X", verb, data=None if verb == "GET" else {})
    if path.startswith("/api/v1/sandbox/"):
        assert (answer.status, answer.json["code"]) == (501, 12)
    elif answer.status != 200:
        assert answer.status < 500
        assert answer.reason
