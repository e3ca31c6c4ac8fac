import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from laurel_server.cli import build_app
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import WEEK, board_at, keys_of, listed, wrongs

FILE = """\
user_id,points,username,country
ann,100,Ann,us
bob,250,Bob,
cleo,0,Cleo,DE
"""


@pytest.fixture
def cli(parts: Parts, ledger_dsn: str, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The command line, on the ledger of a server that runs."""
    assert parts.clock is not None
    monkeypatch.setenv("LAUREL_PG_DSN", ledger_dsn)
    return CliRunner()


async def run(cli: CliRunner, file: Path) -> str:
    result = await asyncio.to_thread(cli.invoke, build_app(["import", "version"]), ["import", str(file)])
    assert result.exit_code == 0, result.output
    return result.stdout


async def test_people_balances_and_boards(parts: Parts, cli: CliRunner, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(FILE)
    assert "3 lines: 3 people and 2 balances are new" in await run(cli, file)
    assert "3 lines: 0 people and 0 balances are new" in await run(cli, file)
    assert (await parts.profiles.get("ann")).country == "US"
    assert (await parts.profiles.get("cleo")).username == "Cleo"
    assert (await parts.statement.rewards("bob")).total_points == 250
    assert await listed(parts) == [("bob", 250), ("ann", 100)]
    assert await listed(parts, "country:US") == [("ann", 100)]
    assert (await parts.queries.page(board_at(parts, period_id=WEEK), "", 10)).lines == ()
    assert await wrongs(parts) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("user_id\nann\n", "no column points"),
        ("user_id,points\nno one,1\n", "line 2"),
        ("user_id,points\nann,1\nbob,1.5\n", "line 3"),
        ("user_id,points,country\nann,1,USA\n", "country"),
    ],
)
async def test_nothing_is_imported_from_a_file_that_is_wrong(
    parts: Parts, cli: CliRunner, tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "wrong.csv"
    file.write_text(text)
    result = cli.invoke(build_app(["import", "version"]), ["import", str(file)])
    assert result.exit_code == 2
    assert words in " ".join(result.output.split())
    assert not await parts.pool.fetchval("SELECT count(*) FROM users")


async def test_what_balances_are_worth_is_given_and_told_to_nobody(
    parts: Parts, cli: CliRunner, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("user_id,points\nann,60000\nbob,900\n")
    await run(cli, file)
    assert (await parts.statement.rewards("ann")).tier.name == "DIAMOND"
    held = {badge.badge_type for badge, _ in await parts.badges.of("ann")}
    assert {"POINTS_1K", "POINTS_10K", "EARLY_ADOPTER"} <= held
    assert not await parts.pool.fetchval("SELECT count(*) FROM achievements")
    assert await listed(parts, "tier:diamond") == [("ann", 60000)]
    assert not await parts.redis.call("EXISTS", keys_of("tier:bronze")[2])  # she was never there
