import pytest

from laurel_server.domain.wording import counted


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 points"), (1, "1 point"), (-1, "-1 points"), (2500, "2,500 points")]
)
def test_a_number_agrees_with_what_it_counts(number: int, said: str) -> None:
    assert counted(number, "point") == said
