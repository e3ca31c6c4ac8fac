"""The versions of the schema are one chain: two changes that took the same number would fork it."""

from laurel_server.postgres.schema import MIGRATIONS


def test_versions_are_numbered_without_gaps_and_once() -> None:
    numbers = sorted(int(path.name[:4]) for path in (MIGRATIONS / "versions").glob("[0-9]*.sql"))
    assert numbers == list(range(1, len(numbers) + 1))
