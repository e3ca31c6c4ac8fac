"""REST, server-sent events and gRPC-Web through the gateway of `laurel serve`, by curl."""

import asyncio
import hmac
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import time
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import grpc
import pytest

from laurel.leaderboard.v1.leaderboard_service_pb2 import GetRankRequest, GetRankResponse
from laurel.rewards.v1.rewards_service_pb2 import AwardPointsRequest, IngestAwardsRequest
from laurel.rewards.v1.rewards_service_pb2_grpc import RewardsServiceStub
from laurel_server.runtime.openapi import openapi_page
from laurel_server.runtime.probe import check_health
from tests.e2e.conftest import StartServe
from tests.e2e.curl import Answer, curl, events
from tests.e2e.serving import Serve, eventually

ORIGIN = "http://localhost:3000"
TOKENS = (
    '{"s3cret-shop": {"caller": "shop", "scopes": ["write", "read"]},'
    ' "s3cret-desk": {"caller": "desk", "scopes": ["read"]},'
    ' "s3cret-admin": {"caller": "ops", "scopes": ["admin"]}}'
)
_numbers = count()


@pytest.fixture(scope="module")
def api(laurel: Serve) -> str:
    """Where REST is."""
    return f"http://{laurel.run['http']}/api/v1"


def award(api: str, user_id: str, **more: object) -> Answer:
    body = {"request_id": f"gateway-{next(_numbers)}", "user_id": user_id, "action": "REVIEW", **more}
    return curl(f"{api}/rewards/award", data=body)


def bearing(token: str) -> tuple[str, str]:
    return "-H", f"Authorization: Bearer {token}"


def test_an_award_in_camel_case_answers_with_everything_in_it(api: str) -> None:
    body = {
        "requestId": "camel-1",
        "userId": "camel",
        "action": "PURCHASE",
        "attributes": {"order_value": "5000"},
    }
    answer = curl(f"{api}/rewards/award", data=body)
    assert answer.status == 200
    entry = answer.json["transaction"]
    assert (entry["userId"], entry["points"], entry["orderId"]) == ("camel", "50", "")
    assert answer.json["closedPeriodIds"] == []
    assert answer.json["replayed"] is False
    assert answer.json["rewards"]["tier"] == "TIER_BRONZE"
    again = curl(f"{api}/rewards/award", data=body | {"request_id": "camel-1"})
    assert again.json["replayed"] is True


@pytest.mark.parametrize(
    "user_id", ["shop:7", "ada@example.com", "a.b-c_d", "x:batch", "transactions", "watch"]
)
def test_ids_of_every_form_stand_in_paths(api: str, user_id: str) -> None:
    assert award(api, user_id).status == 200
    for written in (user_id, quote(user_id, safe="")):
        assert curl(f"{api}/rewards/{written}").json["rewards"]["userId"] == user_id
        assert curl(f"{api}/leaderboard/rank/{written}").json["rank"]["score"] == "20"
        assert curl(f"{api}/leaderboard/surrounding/{written}?range=10").json["score"] == "20"
        assert curl(f"{api}/ranking/{written}").json["rank"]["score"] == "20"
        (entry,) = curl(f"{api}/rewards/{written}/transactions").json["transactions"]
        assert curl(f"{api}/transactions/{entry['transactionId']}").json["transaction"] == entry


@pytest.mark.parametrize(
    "query", ["period=weekly&limit=100", "period=WeekLY", "board.period=PERIOD_WEEKLY&pageSize=3"]
)
def test_boards_are_asked_for_in_short(api: str, query: str) -> None:
    award(api, "short")
    answer = curl(f"{api}/leaderboard/global?{query}")
    assert answer.json["board"]["period"] == "PERIOD_WEEKLY"
    assert re.fullmatch(r"\d{4}-W\d\d", answer.json["board"]["periodId"])
    assert curl(f"{api}/leaderboards/global?{query}").json["board"] == answer.json["board"]


@pytest.mark.parametrize("period", ["", "all_time", "ALL_TIME", "all", "PERIOD_ALL_TIME"])
def test_the_board_of_all_time(api: str, period: str) -> None:
    assert curl(f"{api}/leaderboard/global?period={period}").json["board"]["periodId"] == "all"


def test_a_limit_bounds_the_page(api: str) -> None:
    for user_id in ("limit-1", "limit-2"):
        award(api, user_id)
    answer = curl(f"{api}/leaderboard/global?limit=1").json
    assert len(answer["entries"]) == 1
    rest = curl(f"{api}/leaderboard/global?limit=1&page_token={answer['nextPageToken']}").json
    assert rest["entries"][0]["rank"] == "2"


def test_scores_of_a_board_of_ones_own(api: str) -> None:
    board = {"board_id": "chess", "kind": "BOARD_KIND_SCORES", "operator": "SCORE_OPERATOR_BEST"}
    made = curl(f"{api}/admin/boards", data={"request_id": "chess-1", "board": board})
    assert made.status == 200, made
    update = {
        "requestId": "chess-2",
        "board": {"scope": "chess"},
        "userId": "ada",
        "score": "7",
        "metadata": {"a": "b"},
    }
    answer = curl(f"{api}/leaderboard/update", data=update)
    assert (answer.json["rank"]["rank"], answer.json["updated"]) == ("1", True)
    (line,) = curl(f"{api}/leaderboards/chess").json["entries"]
    assert (line["userId"], line["score"], line["metadata"]) == ("ada", "7", {"a": "b"})


def test_points_are_redeemed(api: str) -> None:
    award(api, "spender")
    answer = curl(f"{api}/rewards/redeem", data={"request_id": "spend-1", "user_id": "spender", "points": 15})
    assert (answer.json["transaction"]["points"], answer.json["rewards"]["totalPoints"]) == ("-15", "5")
    more = curl(f"{api}/rewards/redeem", data={"request_id": "spend-2", "user_id": "spender", "points": "15"})
    assert (more.status, more.reason) == (400, "INSUFFICIENT_POINTS")


def test_periods_are_listed_by_their_short_name(api: str) -> None:
    award(api, "periods")
    periods = curl(f"{api}/periods?period=weekly&scope=global&limit=5").json["periods"]
    assert periods[0]["board"]["period"] == "PERIOD_WEEKLY"


async def test_streams_of_grpc_pass_in_both_directions(laurel: Serve) -> None:
    awards = [
        IngestAwardsRequest(award=AwardPointsRequest(request_id=f"i-{n}", user_id="pourer", action="REVIEW"))
        for n in range(3)
    ]
    async with grpc.aio.insecure_channel(laurel.run["http"]) as channel:
        answers = RewardsServiceStub(channel).IngestAwards(iter(awards))
        indexes = {answer.result.index async for answer in answers}
    assert indexes == {0, 1, 2}


def test_what_is_escaped_is_read(api: str) -> None:
    answer = curl(f"{api}/leaderboards/country%3AUS?period=weekly&periodId=2026-W40")
    assert answer.json["board"] == {"scope": "country:US", "period": "PERIOD_WEEKLY", "periodId": "2026-W40"}


def test_a_profile_is_put_where_its_path_says(api: str) -> None:
    body = {"username": "Ada", "country": "DE"}
    answer = curl(f"{api}/admin/users/ada:1@x.y", "-X", "PUT", data=body)
    assert answer.json["user"]["userId"] == "ada:1@x.y"
    assert curl(f"{api}/admin/users/ada%3A1%40x.y").json["user"]["country"] == "DE"


def test_a_board_without_members_is_an_empty_list(api: str) -> None:
    answer = curl(f"{api}/leaderboards/country:AQ?period=weekly").json
    assert (answer["entries"], answer["totalParticipants"]) == ([], "0")


def test_answers_are_not_kept_by_caches(api: str) -> None:
    assert curl(f"{api}/leaderboard/global").headers["cache-control"] == "no-store"


def test_short_forms_work_for_one_user_too(api: str) -> None:
    award(api, "solo")
    answer = curl(f"{api}/leaderboard/rank/solo?period=daily").json
    assert answer["rank"]["board"]["period"] == "PERIOD_DAILY"
    past = curl(f"{api}/leaderboard/rank/solo?period=daily&period_id=2020-01-01")
    assert (past.status, past.reason) == (404, "NOT_ON_BOARD")


def test_fields_that_are_named_like_short_forms_stay_as_they_are(api: str) -> None:
    checks = curl(f"{api}/admin/integrity?scope=ledger").json["checks"]
    assert checks


@pytest.mark.parametrize(
    ("path", "data", "status", "code"),
    [
        ("nonsense", None, 404, 5),
        ("", None, 404, 5),
        ("rewards/award", None, 404, 5),  # a user of that name who does not exist
        ("rewards/award/x", {}, 404, 5),
        ("rewards/award", "{", 400, 3),
        ("rewards/award", "[]", 400, 3),
        ("rewards/award", '{"user_id": {}}', 400, 3),
        ("rewards/award", '{"validate_only": "perhaps"}', 400, 3),
        ("leaderboard/global?period=fortnightly", None, 400, 3),
        ("leaderboard/global?limit=many", None, 400, 3),
        ("leaderboard/global?colour=red", None, 400, 3),
    ],
)
def test_errors_of_the_edge_are_json(api: str, path: str, data: object, status: int, code: int) -> None:
    answer = curl(f"{api}/{path}", data=data)
    assert (answer.status, answer.json["code"]) == (status, code)
    assert answer.json["message"]
    assert isinstance(answer.json["details"], list)
    if status == 400:
        assert answer.reason == "INVALID_FIELD"


@pytest.mark.parametrize(
    ("path", "data", "field"),
    [
        ("rewards/redeem", '{"points": "five"}', "points"),
        ("rewards/redeem", '{"requestId": 5}', "request_id"),
        ("rewards/award", '{"attributes": [1]}', "attributes"),
        ("rewards/award", '{"attributes": "x"}', "attributes"),
        ("rewards/award", '{"attributes": {"order_value": 5}}', "attributes[0].value"),
        ("rewards/award", '{"attributes": {"order_value": ["x"]}}', "attributes[0].value"),
        ("rewards/award", '{"userId": {}}', "user_id"),
        ("rewards/award", '{"occurredAt": "yester\\"day\\\\"}', "occurred_at"),
        ("rewards/award/batch", '{"awards": [{"userId": 5}]}', "awards[0].user_id"),
        ("rewards/redeem", "{", ""),
        ("rewards/redeem", "null", ""),
        ("leaderboard/global?limit=many", None, "page_size"),
        ("leaderboard/global?period=fortnightly", None, "board.period"),
        ("leaderboard/global?colour=red", None, "colour"),
    ],
)
def test_what_cannot_be_read_is_named_like_what_is_wrong(
    api: str, path: str, data: object, field: str
) -> None:
    answer = curl(f"{api}/{path}", data=data)
    info, broken = answer.json["details"]
    (violation,) = broken["fieldViolations"]
    assert (answer.status, info["metadata"], violation["field"]) == (400, {"field": field}, field)
    assert answer.json["message"].endswith(violation["description"])
    assert not [name for name in answer.headers if name.startswith("x-laurel")]


def test_an_object_as_an_attribute_is_named(api: str) -> None:
    answer = curl(f"{api}/rewards/award", data='{"attributes": {"order_value": {"amount": 5}}}')
    info, broken = answer.json["details"]
    assert (answer.status, info["reason"], info["metadata"]["field"]) == (400, "INVALID_FIELD", "attributes")
    assert [each["field"] for each in broken["fieldViolations"]] == ["attributes"]


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


def test_paths_outside_of_the_api_are_json_errors_too(api: str) -> None:
    answer = curl(api.replace("/api/v1", "/no/such/page"))
    assert (answer.status, answer.json["code"], answer.json["details"]) == (404, 5, [])


def test_errors_of_laurel_keep_their_reason_and_name_fields_of_the_contract(api: str) -> None:
    answer = curl(f"{api}/rewards/award", data={})
    assert (answer.status, answer.reason) == (400, "INVALID_FIELD")
    (broken,) = [each for each in answer.json["details"] if each["@type"].endswith("/google.rpc.BadRequest")]
    assert [violation["field"] for violation in broken["fieldViolations"]] == [
        "request_id",
        "user_id",
        "action",
    ]
    missing = curl(f"{api}/rewards/nobody-at-all")
    assert (missing.status, missing.json["code"], missing.reason) == (404, 5, "USER_NOT_FOUND")


def test_a_large_batch_passes(api: str) -> None:
    awards = [
        {"request_id": f"large-{n}", "user_id": f"large-{n % 7}", "action": "REVIEW"} for n in range(1000)
    ]
    answer = curl(f"{api}/rewards/award/batch", data={"awards": awards})
    assert [result["index"] for result in answer.json["results"]] == [str(n) for n in range(1000)]
    assert all("award" in result for result in answer.json["results"])


def test_a_message_that_is_too_large_is_refused_in_json(api: str) -> None:
    answer = award(api, "large", reason="x" * (40 << 20))
    assert (answer.status, answer.json["code"]) == (413, 8)


def test_the_id_of_a_request_is_kept(api: str) -> None:
    assert (
        curl(f"{api}/leaderboard/global", "-H", "X-Request-Id: order-77").headers["x-request-id"]
        == "order-77"
    )
    assert curl(f"{api}/leaderboard/global").headers["x-request-id"]


def test_pages_of_known_origins_may_call(api: str) -> None:
    asked = (
        *("-X", "OPTIONS", "-H", f"Origin: {ORIGIN}", "-H", "Access-Control-Request-Method: POST"),
        *("-H", "Access-Control-Request-Headers: authorization,content-type,x-grpc-web"),
    )
    preflight = curl(f"{api}/rewards/award", *asked)
    assert preflight.status == 200
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    allowed = preflight.headers["access-control-allow-headers"]
    assert {"authorization", "content-type", "x-grpc-web"} <= set(allowed.split(", "))
    for path in ("leaderboard/global", "nonsense", "rewards/nobody-at-all"):
        assert (
            curl(f"{api}/{path}", "-H", f"Origin: {ORIGIN}").headers["access-control-allow-origin"] == ORIGIN
        )


def test_pages_of_other_origins_may_not(api: str) -> None:
    answer = curl(f"{api}/leaderboard/global", "-H", "Origin: http://elsewhere.example")
    assert "access-control-allow-origin" not in answer.headers


def test_a_board_is_watched_by_events(api: str) -> None:
    award(api, "watched")
    with events(f"{api}/leaderboard/watch?limit=100&period=daily") as stream:
        first = next(stream)
        assert first["snapshot"]["board"]["period"] == "PERIOD_DAILY"
        assert first["sequence"] == "1"
        # Ahead of all the others: more than 100 people may stand on the board of the shared server.
        award(api, "newcomer", action="PURCHASE", attributes={"order_value": "10000000"})
        changed: set[str] = set()
        while "newcomer" not in changed:
            changed = {entry["userId"] for entry in next(stream).get("delta", {}).get("changed", [])}


@pytest.mark.parametrize(("query", "period"), [("", "PERIOD_ALL_TIME"), ("?period=daily", "PERIOD_DAILY")])
def test_a_rank_is_watched_by_events(api: str, query: str, period: str) -> None:
    user_id = f"runner@{period.lower()}"
    award(api, user_id)
    with events(f"{api}/leaderboard/rank/{user_id}/watch{query}") as stream:
        first = next(stream)["update"]
        assert (first["board"]["period"], first["score"]) == (period, "20")
        award(api, user_id)
        while (update := next(stream)["update"])["score"] == "20":
            pass  # others moved
        assert (update["score"], update["pointsEarned"]) == ("40", "20")


def test_a_watch_that_cannot_begin_is_an_error_in_json(api: str) -> None:
    answer = curl(f"{api}/leaderboard/watch?limit=1000")
    assert (answer.status, answer.reason) == (400, "INVALID_FIELD")


def test_a_watcher_who_leaves_is_forgotten(api: str) -> None:
    def watching() -> bool:
        page = curl(api.replace("/api/v1", "/metrics")).body
        return bool(re.search(r'laurel_rpc_streams\{method="WatchLeaderboard".*\} [1-9]', page))

    with events(f"{api}/leaderboard/watch") as stream:
        next(stream)
        assert watching()
    eventually(lambda: not watching(), "the stream ends in the server too")


def test_browsers_call_by_grpc_web(laurel: Serve, api: str) -> None:
    award(api, "web")
    request = GetRankRequest(user_id="web").SerializeToString()
    done = subprocess.run(
        [
            *(
                "curl",
                "-sS",
                "-m",
                "20",
                "--data-binary",
                "@-",
                "-H",
                "Content-Type: application/grpc-web+proto",
            ),
            *(
                "-H",
                "X-Grpc-Web: 1",
                f"http://{laurel.run['http']}/laurel.leaderboard.v1.LeaderboardService/GetRank",
            ),
        ],
        input=struct.pack(">BI", 0, len(request)) + request,
        capture_output=True,
        check=True,
    )
    kind, length = struct.unpack(">BI", done.stdout[:5])
    assert kind == 0
    assert GetRankResponse.FromString(done.stdout[5 : 5 + length]).rank.score == 20
    assert b"grpc-status:0" in done.stdout[5 + length :]


def test_operators_find_health_and_metrics(laurel: Serve) -> None:
    assert curl(f"http://{laurel.run['http']}/healthz").body == "ok\n"
    assert "laurel_rpc_calls_total" in curl(f"http://{laurel.run['http']}/metrics").body


def test_the_document_of_the_api_is_served(laurel: Serve) -> None:
    document = curl(f"http://{laurel.run['http']}/openapi.json").json
    assert document["openapi"].startswith("3.")
    assert document["paths"]["/api/v1/rewards/award"]["post"]["operationId"] == "AwardPoints"


def test_metrics_are_not_for_strangers(start_serve: StartServe) -> None:
    serve = start_serve(LAUREL_AUTH_TOKENS=TOKENS, LAUREL_HTTP_HOST="0.0.0.0")
    address = serve.run["http"].replace("0.0.0.0", "127.0.0.1")
    metrics = curl(f"http://{address}/metrics")
    assert (metrics.status, metrics.json["code"]) == (404, 5)
    assert curl(f"http://{address}/healthz").status == 200


def test_watchers_are_told_when_everything_stops(start_serve: StartServe) -> None:
    serve = start_serve()
    with events(f"http://{serve.run['http']}/api/v1/leaderboard/watch") as stream:
        token = next(stream)["resumeToken"]
        serve.process.terminate()
        *_, last = stream
    assert last["end"]["reason"] == "DRAINING"
    assert last["end"]["resumeToken"]
    assert token
    assert serve.process.wait(30) == 0


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl on PATH makes a certificate")
def test_with_a_certificate_the_gateway_speaks_tls(start_serve: StartServe, tmp_path: Path) -> None:
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "1",
                "-subj",
                "/CN=laurel",
            ),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-out", str(certificate), "-keyout", str(key)),
        ],
        check=True,
        capture_output=True,
    )
    serve = start_serve(LAUREL_HTTP_TLS_CERTIFICATE_FILE=str(certificate), LAUREL_HTTP_TLS_KEY_FILE=str(key))
    url = f"https://{serve.run['http']}/api/v1/leaderboard/global"
    answer = curl(url, "--http1.1", "--cacert", str(certificate))
    assert answer.status == 200
    os.kill(serve.pids["envoy"], signal.SIGKILL)
    again = (
        "-sS",
        "--retry",
        "20",
        "--retry-all-errors",  # a process that is being killed may still take a connection and reset it
        "--retry-delay",
        "1",
        "--cacert",
        str(certificate),
    )
    done = subprocess.run(["curl", *again, url], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["board"]["scope"] == "global"


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


def test_tokens_pass_the_gateway(start_serve: StartServe) -> None:
    serve = start_serve(LAUREL_AUTH_TOKENS=TOKENS)
    api = f"http://{serve.run['http']}/api/v1"
    body = {"request_id": "r-1", "user_id": "ada", "action": "REVIEW"}
    nobody = curl(f"{api}/rewards/award", data=body)
    assert (nobody.status, nobody.json["code"], nobody.reason) == (401, 16, "CREDENTIALS_MISSING")
    stranger = curl(f"{api}/rewards/award", *bearing("s3cret-guess"), data=body)
    assert (stranger.status, stranger.reason) == (401, "CREDENTIALS_INVALID")
    reader = curl(f"{api}/rewards/award", *bearing("s3cret-desk"), data=body)
    assert (reader.status, reader.json["code"], reader.reason) == (403, 7, "SCOPE_MISSING")
    shop = curl(f"{api}/rewards/award", *bearing("s3cret-shop"), data=body)
    assert shop.json["transaction"]["createdBy"] == "shop"
    with events(f"{api}/leaderboard/rank/ada/watch", *bearing("s3cret-desk")) as stream:
        assert next(stream)["update"]["score"] == "20"
    assert curl(f"http://{serve.run['http']}/healthz").status == 200
    info = curl(f"{api}/admin/server", *bearing("s3cret-admin"))
    assert info.json["config"]["auth.tokens"] == "***"
    assert "s3cret" not in info.body
    written = "".join(log.read_text() for log in (serve.data_dir / "logs").iterdir())
    assert "s3cret" not in written + serve.stderr


def jwt(secret: bytes, **claims: object) -> str:
    """Returns a JWT by HMAC-SHA256."""
    parts = [{"alg": "HS256", "typ": "JWT", "kid": "k"}, claims]
    signed = b".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    signature = urlsafe_b64encode(hmac.digest(secret, signed, "sha256")).rstrip(b"=")
    return (signed + b"." + signature).decode()


def test_a_good_jwt_stands_for_a_token(start_serve: StartServe, tmp_path: Path) -> None:
    secret, jwks = b"not so long a secret", tmp_path / "jwks.json"
    key = {"kty": "oct", "alg": "HS256", "kid": "k", "k": urlsafe_b64encode(secret).decode().rstrip("=")}
    jwks.write_text(json.dumps({"keys": [key]}))
    serve = start_serve(
        LAUREL_AUTH_TOKENS=TOKENS,
        LAUREL_JWT_JWKS_FILE=str(jwks),
        LAUREL_JWT_ISSUER="https://login.example",
        LAUREL_JWT_AUDIENCE="laurel",
        LAUREL_JWT_TOKEN="s3cret-desk",
    )
    url = f"http://{serve.run['http']}/api/v1/leaderboard/global"
    good = {"iss": "https://login.example", "aud": "laurel", "exp": time.time() + 600, "sub": "ada"}
    assert curl(url, *bearing(jwt(secret, **good))).status == 200
    award = curl(url.replace("leaderboard/global", "rewards/award"), *bearing(jwt(secret, **good)), data={})
    assert (award.status, award.reason) == (403, "SCOPE_MISSING")
    for bad in (
        jwt(b"another secret", **good),
        jwt(secret, **good | {"aud": "other"}),
        jwt(secret, **good | {"iss": "other"}),
        jwt(secret, **good | {"exp": time.time() - 600}),
        jwt(secret, iss=good["iss"], aud=good["aud"]),
    ):
        refused = curl(url, *bearing(bad))
        assert (refused.status, refused.reason) == (401, "CREDENTIALS_INVALID")
    assert curl(url, *bearing("s3cret-desk")).status == 200
    assert curl(url).reason == "CREDENTIALS_MISSING"


def test_a_gateway_without_servers_says_so_in_json_and_finds_them_again(start_serve: StartServe) -> None:
    serve = start_serve()
    url = f"http://{serve.run['http']}/api/v1/leaderboard/global"
    serve.process.send_signal(signal.SIGSTOP)  # or the server could be back before anybody calls
    os.kill(serve.pids["server"], signal.SIGKILL)
    answer = curl(url)
    serve.process.send_signal(signal.SIGCONT)
    assert (answer.status, answer.json["code"]) == (503, 14)
    eventually(lambda: curl(url).status == 200, "the server is back")


def test_more_than_the_limit_is_refused_in_json(start_serve: StartServe) -> None:
    serve = start_serve(LAUREL_HTTP_RATE_LIMIT="1")
    with ThreadPoolExecutor(8) as callers:  # side by side, or a slow machine would stay below the limit
        answers = list(callers.map(curl, [f"http://{serve.run['http']}/api/v1/leaderboard/global"] * 32))
    refused = [answer for answer in answers if answer.status != 200]
    assert refused
    assert (refused[0].status, refused[0].json["code"]) == (429, 8)
    assert refused[0].reason == "RATE_LIMITED"
    assert refused[0].headers["retry-after"] == "1"
    assert curl(f"http://{serve.run['http']}/healthz").status == 200


def test_each_client_has_a_limit_of_its_own(start_serve: StartServe) -> None:
    serve = start_serve(LAUREL_HTTP_CLIENT_RATE_LIMIT="2", LAUREL_HTTP_TRUSTED_PROXIES="1")
    url = f"http://{serve.run['http']}/api/v1/leaderboard/global"

    def ask(client: str) -> int:
        return curl(url, "-H", f"X-Forwarded-For: {client}").status

    with ThreadPoolExecutor(8) as callers:
        greedy = list(callers.map(ask, ["192.0.2.1"] * 32))
        others = list(callers.map(ask, [f"192.0.2.{number}" for number in range(2, 60)]))
        one_network = list(callers.map(ask, [f"2001:db8::{number:x}" for number in range(1, 33)]))
        networks = list(callers.map(ask, [f"2001:db8:0:{number:x}::1" for number in range(1, 33)]))
    assert 4 <= greedy.count(200) < 32, "two a second, and twice that at once"
    assert greedy.count(200) + greedy.count(429) == 32
    assert set(others) == {200}, "who asks once is not stopped by who asks much"
    assert one_network.count(429) > 0, "one client has all of the addresses of its network"
    assert set(networks) == {200}


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
