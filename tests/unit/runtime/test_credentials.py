"""LAUREL_AUTH_TOKENS: what is read, and what is said of what cannot be."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from laurel_server.rpc.callers import Grant
from laurel_server.rpc.methods import Scope
from laurel_server.runtime.config_serving import Auth
from laurel_server.runtime.credentials import CredentialsError, read_grants

TOKENS = '{"s3cret-a": {"caller": "shop", "scopes": ["read", "write"]}, "b": {"caller": "ops", "scopes": ["admin"]}}'
GRANTS = {
    "s3cret-a": Grant("shop", frozenset({Scope.READ, Scope.WRITE})),
    "b": Grant("ops", frozenset({Scope.ADMIN})),
}


def test_tokens_come_as_json() -> None:
    assert read_grants(Auth(tokens=SecretStr(f"\n {TOKENS}"))) == GRANTS


def test_tokens_come_from_a_file_by_either_variable(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    file.write_text(TOKENS)
    assert read_grants(Auth(tokens=SecretStr(str(file)))) == GRANTS
    assert read_grants(Auth(tokens_file=file)) == GRANTS


def test_without_tokens_nothing_is_granted() -> None:
    assert read_grants(Auth(tokens=None, tokens_file=None)) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON"),
        ("/no/such/s3cret", "neither JSON nor a file"),
        ("s3cret", "neither JSON nor a file"),
        ("{}", "holds no token"),
        ('{"s3cret": {"caller": "shop"}}', "scopes"),
        ('{"s3cret": {"caller": "shop", "scopes": []}}', "scopes"),
        ('{"s3cret": {"caller": "shop", "scopes": ["s3cret"]}}', "scopes"),
        ('{"s3cret": {"caller": "a b", "scopes": ["read"]}}', "caller"),
        ('{"s3cret": {"caller": "laurel", "scopes": ["read"]}}', "the caller laurel is Laurel itself"),
        ('{"s3cret token": {"caller": "shop", "scopes": ["read"]}}', "visible ASCII"),
        ('{"": {"caller": "shop", "scopes": ["read"]}}', "visible ASCII"),
    ],
)
def test_what_is_wrong_is_said_without_the_token(text: str, said: str) -> None:
    with pytest.raises(CredentialsError) as caught:
        read_grants(Auth(tokens=SecretStr(text)))
    assert str(caught.value).startswith("LAUREL_AUTH_TOKENS")
    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_one_variable_is_enough(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="LAUREL_AUTH_TOKENS or LAUREL_AUTH_TOKENS_FILE"):
        read_grants(Auth(tokens=SecretStr(TOKENS), tokens_file=tmp_path))
