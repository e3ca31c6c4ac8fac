"""LAUREL_JWT_*: whole or not at all, and only for a token that exists."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from laurel_server.runtime.config import Settings
from laurel_server.runtime.config_serving import Auth, Jwt
from laurel_server.runtime.credentials import CredentialsError
from laurel_server.runtime.jwt import read_jwt

AUTH = Auth(tokens=SecretStr('{"s3cret": {"caller": "web", "scopes": ["read"]}}'))
KEYS = '{"keys": [{"kty": "oct"}]}'


def settings(file: Path, **changed: object) -> Settings:
    if not file.exists():
        file.write_text(KEYS)
    given = {"jwks_file": file, "issuer": "i", "audience": "a", "token": SecretStr("s3cret"), **changed}
    return Settings(auth=AUTH, jwt=Jwt.model_validate(given))


def test_all_four_are_read(tmp_path: Path) -> None:
    found = read_jwt(settings(tmp_path / "jwks.json"))
    assert found is not None
    assert (found.issuer, found.audience, found.jwks, found.token) == ("i", "a", KEYS, "s3cret")
    assert "s3cret" not in repr(found)


def test_none_is_asked_for() -> None:
    assert read_jwt(Settings(auth=AUTH, jwt=Jwt())) is None


@pytest.mark.parametrize("missing", [{"jwks_file": None}, {"issuer": ""}, {"audience": ""}, {"token": None}])
def test_a_part_is_refused(tmp_path: Path, missing: dict[str, object]) -> None:
    with pytest.raises(CredentialsError, match="together"):
        read_jwt(settings(tmp_path / "jwks.json", **missing))


def test_a_token_that_does_not_exist_is_refused_without_a_word_of_it(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="LAUREL_JWT_TOKEN") as caught:
        read_jwt(settings(tmp_path / "jwks.json", token=SecretStr("an0ther")))
    assert "an0ther" not in str(caught.value)


@pytest.mark.parametrize("keys", ["", "{}", "[]", '{"keys": []}', '{"keys": "x"}'])
def test_a_file_without_keys_is_refused(tmp_path: Path, keys: str) -> None:
    (tmp_path / "jwks.json").write_text(keys)
    with pytest.raises(CredentialsError, match="LAUREL_JWT_JWKS_FILE"):
        read_jwt(settings(tmp_path / "jwks.json"))
