"""TLS, tokens and JWTs at the gateway."""

import hmac
import json
import os
import shutil
import signal
import subprocess
import time
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from tests.e2e.conftest import StartServe
from tests.e2e.curl import curl, events
from tests.e2e.gateway import TOKENS, bearing


def test_metrics_are_not_for_strangers(start_serve: StartServe) -> None:
    serve = start_serve(LAUREL_AUTH_TOKENS=TOKENS, LAUREL_HTTP_HOST="0.0.0.0")
    address = serve.run["http"].replace("0.0.0.0", "127.0.0.1")
    metrics = curl(f"http://{address}/metrics")
    assert (metrics.status, metrics.json["code"]) == (404, 5)
    assert curl(f"http://{address}/healthz").status == 200


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
