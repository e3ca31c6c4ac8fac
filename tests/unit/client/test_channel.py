import pytest

from laurel_client.channel import is_here


@pytest.mark.parametrize(
    ("target", "here"),
    [
        ("127.0.0.1:50051", True),
        ("127.8.0.1:1", True),
        ("localhost:50051", True),
        ("[::1]:50051", True),
        ("dns:///localhost:50051", True),
        ("10.0.0.7:50051", False),
        ("laurel.example:50051", False),
        ("dns:///laurel.example:50051", False),
        ("", False),
    ],
)
def test_no_proxy_is_asked_for_what_is_here(target: str, here: bool) -> None:
    assert is_here(target) is here
