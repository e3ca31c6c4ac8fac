"""Pages that call through the gateway: CORS and gRPC-Web."""

import struct
import subprocess

from laurel.leaderboard.v1.leaderboard_service_pb2 import GetRankRequest, GetRankResponse
from tests.e2e.curl import curl
from tests.e2e.gateway import award
from tests.e2e.serving import Serve

ORIGIN = "http://localhost:3000"


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
