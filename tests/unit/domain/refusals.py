"""One way to say in a test that a rule refuses."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from laurel_server.domain.errors import LaurelError, Reason


@contextmanager
def refused(reason: Reason, field: str = "", **metadata: str) -> Iterator[None]:
    """Expect a LaurelError with that reason, that field and at least that metadata."""
    with pytest.raises(LaurelError) as caught:
        yield
    error = caught.value
    assert (error.reason, error.field) == (reason, field)
    assert metadata.items() <= error.metadata.items()
