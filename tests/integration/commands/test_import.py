import asyncio
import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from laurel_server.cli import build_app
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import START, WEEK, board_at, command, keys_of, listed, wrongs

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
    monkeypatch.setenv("LAUREL_SANDBOX", "1")  # the same clock as that of the server
    monkeypatch.setenv("LAUREL_SANDBOX_NOW", START.isoformat())
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


async def test_people_who_are_known_take_no_number(parts: Parts, cli: CliRunner, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(FILE)
    await run(cli, file)
    taken = await parts.pool.fetchval("SELECT last_value FROM user_no_seq")
    await run(cli, file)
    assert await parts.pool.fetchval("SELECT last_value FROM user_no_seq") == taken


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
    # So wide that no word of the error goes into the next line, however long the path is.
    result = cli.invoke(build_app(["import", "version"]), ["import", str(file)], env={"COLUMNS": "300"})
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


TABLES = {
    "users": "user_id, username, email, country, region",
    "user_rewards": "balance, deficit, lifetime_points, tier, tier_since IS NULL, next_expiry, pending_until,"
    " last_reward_at IS NULL, version & 1023, open_totals #>> '{all,0}', (open_totals #>> '{all,1}')::bigint & 1023",
    "reward_transactions": "transaction_id & 1023, action, points, base_points, multiplier, order_id, referral_id,"
    " reference_id, reason, created_by, split_part(request_id, ':', 2), transaction_time = occurred_at, activates_at,"
    " expires_at, reverses_transaction_id, balance_after, inputs::text",
    "lots": "expires_at, lot_id & 1023, remaining, activates_at",
    "user_badges": "badge_type, level, earned_at IS NULL, expires_at, transaction_id & 1023, period_id",
    "tier_changes": "from_tier, to_tier, cause, transaction_id & 1023, points",
}
"""What must be equal of each table, by user; numbers of batches and times are not."""


async def test_people_who_are_new_get_what_awards_would_give_them(
    parts: Parts, cli: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = [0, 1, 999, 1000, 4999, 5000, 12345, 50_000, 7_000_000]
    lines = [
        f"%s-{n},{points[n % 9]},Name {n},,{'DE' if n % 2 else ''},{'West' if n % 3 else ''}"
        for n in range(90)
    ]
    lines.append("%s-0,40,twice,,,")  # he has a line already, and this one goes into a batch of its own
    text = "user_id,points,username,email,country,region\n" + "\n".join(lines) + "\n"
    await parts.pool.execute(
        "SELECT setval('user_no_seq', 5000)"
    )  # nobody is among the first, or all would have a badge
    together, alone = tmp_path / "together.csv", tmp_path / "alone.csv"
    together.write_text(text.replace("%s", "x"))
    alone.write_text(text.replace("%s", "y"))
    await run(cli, together)
    monkeypatch.setattr("laurel_server.rewards.opening_batch.leaves_nothing_open", lambda *_: False)
    assert "90 people and 81 balances are new" in await run(cli, alone)
    for table, columns in TABLES.items():
        join = "" if table == "users" else f"JOIN {table} t USING (user_no)"
        rows = [
            await parts.pool.fetch(
                f"SELECT substr(user_id, 3), {columns.replace('user_id', 'substr(user_id, 3)')} FROM users {join}"
                f" WHERE user_id LIKE '{who}-%' AND user_id NOT LIKE '%-0' ORDER BY user_id COLLATE \"C\", 2, 3, 4"
            )
            for who in "xy"
        ]
        assert rows[0] == rows[1], table
        assert rows[0], table
    answers = await parts.pool.fetch("SELECT outcome FROM idempotency_keys")
    assert len(answers) == 2 * 81
    assert await wrongs(parts) == []


async def in_a_process(file: Path) -> dict[str, int]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "laurel_server.cli", "import", str(file), "--json"),
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await process.communicate()
    assert process.returncode == 0
    counts: dict[str, int] = json.loads(told)
    return counts


async def test_a_second_import_and_awards_at_the_same_time_count_everything_once(
    parts: Parts, cli: CliRunner, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("user_id,points\n" + "".join(f"p{n},100\n" for n in range(1500)))
    imports = asyncio.gather(in_a_process(file), in_a_process(file))
    rounds = 0
    while not imports.done():  # processes take a while to start, so that nothing else brings the two together
        await parts.awards.award_batch([command(f"p{n}", 5) for n in range(rounds % 3, 1500, 3)], None)
        rounds += 1
    first, second = await imports
    assert first["balances"] + second["balances"] == 1500
    assert await parts.pool.fetchval("SELECT sum(balance) FROM user_rewards") == 1500 * 100 + rounds * 500 * 5
    assert await parts.pool.fetchval("SELECT count(*) FROM users") == 1500
    assert "0 people and 0 balances are new" in await run(cli, file)
    assert await wrongs(parts) == []
