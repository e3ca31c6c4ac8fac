"""ClickHouse by its address, through clickhouse-connect: what it refuses, and that it may come late, go and come back.

The engine is the real one. The server in front of it is ours, and answers over HTTP as ClickHouse does.
"""

import shutil
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from pydantic import SecretStr

from laurel_server.analytics.engine import Engine
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.trends import Metric
from laurel_server.runtime.config_outside import Analytics, Events
from laurel_server.runtime.wiring import Parts
from tests.integration.analytics.conftest import ClickHouse
from tests.integration.analytics.test_trends import trend
from tests.integration.events.reading import forget_positions
from tests.integration.wired import give, running, until

At = Callable[[str], AbstractAsyncContextManager[Parts]]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[ClickHouse]:
    """A ClickHouse that does not run yet."""
    if find_spec("chdb") is None:
        pytest.skip("ClickHouse's library is not here; ./scripts/setup dev --analytics installs it")
    engine = ClickHouse(tmp_path / "clickhouse")
    engine.directory.mkdir()
    yield engine
    engine.end(signal.SIGKILL)


@pytest.fixture
def at(ledger_dsn: str, redis_url: str) -> At:
    """Runs a server whose ClickHouse has an address."""

    @asynccontextmanager
    async def run(url: str) -> AsyncIterator[Parts]:
        analytics = Analytics(clickhouse_url=SecretStr(url), clickhouse_timeout_seconds=5)
        async with running(ledger_dsn, redis_url, analytics=analytics, events=Events()) as parts:
            yield parts

    return run


async def is_disabled(parts: Parts) -> bool:
    try:
        await trend(parts, Metric.POINTS)
    except LaurelError as error:
        return error.reason is Reason.ANALYTICS_DISABLED
    return False


async def tells(parts: Parts, points: int, awards: int) -> bool:
    """Return whether today's trends tell that; False while there are none."""
    try:
        return ((await trend(parts, Metric.POINTS))[-1], (await trend(parts, Metric.AWARDS))[-1]) == (
            (0, points),
            (0, awards),
        )
    except LaurelError as error:
        if error.reason is not Reason.ANALYTICS_DISABLED:
            raise
        return False


async def soon(parts: Parts, points: int, awards: int) -> None:
    await until(lambda: tells(parts, points, awards), f"{points} points are told", seconds=90)


async def test_a_clickhouse_that_is_away_at_the_start_is_filled_when_it_comes(
    own: ClickHouse, at: At
) -> None:
    async with at(f"{own.url}/laurel") as parts:
        await give(parts, "ann", 10)
        assert await is_disabled(parts)
        await give(parts, "bob", 20)
        own.start()
        await soon(parts, 30, 2)
        await give(parts, "ann", 5)
        await soon(parts, 35, 3)


async def test_a_clickhouse_that_is_killed_and_comes_back_has_everything_once(
    own: ClickHouse, at: At, ledger_dsn: str
) -> None:
    own.start()
    async with at(f"{own.url}/laurel") as parts:
        await give(parts, "ann", 10)
        await soon(parts, 10, 1)
        own.end(signal.SIGKILL)
        await give(parts, "ann", 20)
        assert await is_disabled(parts)
        own.start()
        await soon(parts, 30, 2)
    await forget_positions(ledger_dsn)  # everything is heard again
    async with at(f"{own.url}/laurel") as parts:
        await give(parts, "ann", 3)
        await soon(parts, 33, 3)


async def test_a_clickhouse_that_comes_back_empty_is_filled_anew(own: ClickHouse, at: At) -> None:
    own.start()
    async with at(f"{own.url}/laurel") as parts:
        await give(parts, "ann", 10)
        await soon(parts, 10, 1)
        own.end(signal.SIGKILL)
        await give(parts, "ann", 20)
        shutil.rmtree(own.directory)
        own.directory.mkdir()
        own.start()
        await soon(parts, 30, 2)


@pytest.mark.parametrize(
    "wrong",
    [{"laurel:secret": "laurel:letmein"}, {"laurel:secret@": "stranger:secret@"}, {"/laurel": "/elsewhere"}],
    ids=["password", "user", "database"],
)
async def test_what_clickhouse_refuses_costs_awards_nothing_and_shows_no_password(
    own: ClickHouse, at: At, wrong: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    own.start()
    ((right, other),) = wrong.items()
    async with at(f"{own.url}/laurel".replace(right, other)) as parts:
        await give(parts, "ann", 10)
        assert await is_disabled(parts)
        await give(parts, "ann", 20)
    told = "".join(capfd.readouterr())
    assert "events.postponed" in told
    assert "secret" not in told
    assert "letmein" not in told
    async with at(f"{own.url}/laurel") as parts:
        await soon(parts, 30, 2)


async def test_refusals_look_like_those_of_clickhouse(own: ClickHouse) -> None:
    own.start()

    def ask(dsn: str, statement: str = "SELECT 1") -> Any:
        return clickhouse_connect.get_client(dsn=dsn).query(statement).result_rows

    for dsn, code in ((own.url.replace("secret", "wrong"), "516"), (f"{own.url}/elsewhere", "81")):
        with pytest.raises(DatabaseError, match=code):
            ask(dsn)
    assert ask(f"{own.url}/laurel") == [(1,)]
    for statement, code in (("SELEC 1", "62"), ("SELECT * FROM nowhere", "60"), ("SELECT throwIf(1)", "395")):
        with pytest.raises(DatabaseError, match=f"[cC]ode:? {code}"):
            ask(f"{own.url}/laurel", statement)


async def test_parameters_are_values_whatever_they_hold(own: ClickHouse) -> None:
    own.start()
    engine = Engine(f"{own.url}/laurel", 20)
    odd = 'it\'s \\ "quoted" {x:String} \n\tÄ; DROP TABLE entries'
    try:
        rows = await engine.query(
            "SELECT {odd:String} AS text, {number:Int64} AS number", odd=odd, number=-(1 << 62)
        )
        assert [tuple(row) for row in rows] == [(odd, -(1 << 62))]
        await engine.command("CREATE TABLE odd (text String) ENGINE = MergeTree ORDER BY text")
        await engine.insert("odd", {"text": "String"}, [(odd,), ("plain",)])
        assert [tuple(row) for row in await engine.query("SELECT text FROM odd ORDER BY text")] == [
            (odd,),
            ("plain",),
        ]
    finally:
        await engine.close()
