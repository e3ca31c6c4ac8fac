"""`laurel replay`: what it plays is what a plain computation says, and playing it again changes nothing."""

import csv
import json
import os
import random
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from laurel_client import Tier
from tests.e2e import shop
from tests.e2e.conftest import StartServe
from tests.e2e.serving import Serve, eventually
from tests.oracle.purchases import Customer, Program, Standing, read_purchases

COLUMNS = ["invoice_no", "invoiced_at", "customer_id", "country", "kind", "amount"]
REAL_DATA = "online_retail_invoices.csv"
ROWS = 1500
"""Rows of it that are played unless all are asked for: some weeks, with cancellations."""


@pytest.fixture
def sandbox(start_serve: StartServe) -> Serve:
    """A fresh server with a test clock."""
    return start_serve(LAUREL_SANDBOX="1")


@pytest.fixture
def small_file(tmp_path: Path) -> Path:
    """Three hundred purchases over a new year, with cancellations among them, in the order of their time."""
    file = tmp_path / "purchases.csv"
    write_file(file, list(made_up_rows(300)))
    return file


def made_up_rows(count: int) -> Iterator[list[object]]:
    """Few customers, round amounts and a long tail, so that there are ties and promotions to every tier."""
    chance = random.Random(20101201)
    at = datetime(2010, 12, 18, 22, 50, tzinfo=UTC)
    for number in range(count):
        at += timedelta(minutes=chance.choice([0, 0, 1, 7, 45, 400]))
        customer = int(chance.paretovariate(0.7)) % 40
        country = ["GB", "DE", "", "FR"][customer % 4] if customer != 5 else ["GB", "US"][number % 2]
        amount = chance.choice(["0.38", "10", "10.00", "99.99", "250.5", "1900", "7000.01"])
        kind = "CANCELLATION" if chance.random() < 0.1 else "PURCHASE"
        yield [f"I{number:04}", f"{at:%Y-%m-%dT%H:%M:%SZ}", f"customer-{customer}", country, kind, amount]


def write_file(file: Path, rows: list[list[object]]) -> None:
    with file.open("w", newline="") as lines:
        csv.writer(lines).writerows([COLUMNS, *rows])


def play_and_compare(serve: Serve, file: Path) -> None:
    """Plays a file twice and compares everything with the plain computation each time."""
    purchases = read_purchases(file)
    program = Program(purchases)
    shop.open_shop(serve, at=purchases[0].at)

    first = shop.replay(serve, file, "--advance-clock")
    assert (first["awarded"], first["points"]) == (program.awards, program.points)
    assert (first["reversed"], first["points_reversed"]) == (program.refunds, program.points_taken_back)
    assert program.points_taken_back > 0
    assert (first["replayed"], first["refused"], first["failed"]) == (0, {}, {})
    # Awards of a day are recorded within that day: at its end it is certain what is a year old.
    now = purchases[-1].at.replace(hour=23, minute=59, second=59)
    program.close(now)
    state = shop.state_of(serve, program, at=now)
    assert_equal(state, program, now)

    second = shop.replay(serve, file, "--concurrency", "8")
    assert (second["awarded"], second["reversed"], second["points"]) == (0, 0, 0)
    assert second["replayed"] == program.awards + program.refunds
    assert (second["refused"], second["failed"], second["not_played"]) == ({}, {}, 0)
    assert shop.state_of(serve, program) == state
    shop.verify(serve)


def assert_equal(state: shop.State, program: Program, now: datetime) -> None:
    assert balances_of(state) == {
        name: (customer.balance(now), customer.lifetime, f"TIER_{customer.tier}")
        for name, customer in program.customers.items()
    }
    assert state.ranks == {standing.customer: standing for standing in program.board("all")}
    assert len(state.boards) > 10
    for (scope, period_id), lines in state.boards.items():
        assert [line.standing for line in lines] == members(program, scope, period_id), (scope, period_id)
        for line in lines:
            customer = program.customers[line.standing.customer]
            assert (line.tier, line.country) == (f"TIER_{customer.tier}", customer.country)


def balances_of(state: shop.State) -> dict[str, tuple[int, int, str]]:
    return {
        name: (rewards.total_points, rewards.lifetime_points, Tier.Name(rewards.tier))
        for name, rewards in state.rewards.items()
    }


def members(program: Program, scope: str, period_id: str) -> list[Standing]:
    kind, _, value = scope.partition(":")

    def belongs(customer: Customer) -> bool:
        return {"global": "", "country": customer.country, "tier": customer.tier.lower()}[kind] == value

    return program.board(period_id, belongs)


def test_made_up_purchases_lead_to_what_a_plain_computation_says(sandbox: Serve, small_file: Path) -> None:
    play_and_compare(sandbox, small_file)


def test_the_made_up_purchases_are_worth_comparing(small_file: Path) -> None:
    program = Program(read_purchases(small_file))
    scores = [standing.score for standing in program.board("all")]
    assert {customer.tier for customer in program.customers.values()} >= {
        "BRONZE",
        "SILVER",
        "GOLD",
        "DIAMOND",
    }
    assert len(set(scores)) < len(scores)
    assert {"2010-12", "2011-01", "2010-W52"} <= set(program.period_ids)


@pytest.mark.timeout(3600)
def test_real_purchases_lead_to_what_a_plain_computation_says(sandbox: Serve, tmp_path: Path) -> None:
    """Plays the first rows; the whole year, which takes long, where LAUREL_TEST_DATA names the folder of the file."""
    asked = os.environ.get("LAUREL_TEST_DATA")
    file = Path(asked or Path(__file__).parents[2] / ".." / "shared" / "data", REAL_DATA)
    if not file.exists():
        pytest.skip(f"{REAL_DATA} is not there; LAUREL_TEST_DATA names the folder that has it")
    play_and_compare(sandbox, file if asked else beginning_of(file, tmp_path / REAL_DATA))


def beginning_of(file: Path, cut: Path) -> Path:
    """Write the first rows of a file to another one."""
    with file.open(encoding="utf-8") as lines, cut.open("w", encoding="utf-8") as first:
        first.writelines(islice(lines, 1 + ROWS))
    return cut


def test_rows_of_other_kinds_are_skipped_and_counted(laurel: Serve, tmp_path: Path) -> None:
    file = tmp_path / "mixed.csv"
    at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    kinds = ["PURCHASE", "CANCELLATION", "PURCHASE"]
    write_file(file, [[f"mixed-{n}", at, f"mixed-{n}", "", kind, "100"] for n, kind in enumerate(kinds)])
    report = shop.replay(laurel, file)
    assert (report["events"], report["skipped"], report["awarded"], report["points"]) == (2, 1, 2, 2)


def test_an_award_that_fails_is_counted_by_reason_and_ends_with_1(laurel: Serve, tmp_path: Path) -> None:
    file = tmp_path / "failing.csv"
    write_file(file, [["failing-1", "2026-01-01T00:00:00Z", "failing", "", "PURCHASE", "100"]])
    report = shop.replay(laurel, file, "--action", "JUGGLING", exit_code=1)
    assert (report["awarded"], report["failed"]) == (0, {"ACTION_NOT_FOUND": 1})


def test_a_server_that_is_not_there_ends_it_with_1(tmp_path: Path) -> None:
    file = tmp_path / "lost.csv"
    write_file(file, [["lost-1", "2026-01-01T00:00:00Z", "lost", "", "PURCHASE", "100"]])
    arguments = shop.command(file, "--address", "127.0.0.1:1")
    done = subprocess.run(
        arguments, env=shop.environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "broken off by UNAVAILABLE" in done.stdout


def test_it_finds_the_server_of_the_data_directory(laurel: Serve, tmp_path: Path) -> None:
    file = tmp_path / "found.csv"
    write_file(file, [["found-1", "2026-01-01T00:00:00Z", "found", "", "PURCHASE", "100"]])
    variables = {**shop.environment(), "LAUREL_DATA_DIR": str(laurel.data_dir)}
    done = subprocess.run(
        shop.command(file), env=variables, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "awarded   1, 1 points" in done.stdout


def test_a_file_that_is_wrong_is_refused_before_anything_is_awarded(laurel: Serve, tmp_path: Path) -> None:
    file = tmp_path / "wrong.csv"
    write_file(
        file,
        [
            ["wrong-1", "2026-01-01T00:00:00Z", "wrong", "", "PURCHASE", "100"],
            ["wrong-2", "2026-01-01T00:00:00Z", "wrong", "", "PURCHASE", "a lot"],
        ],
    )
    arguments = shop.command(file, "--address", laurel.run["grpc"])
    done = subprocess.run(
        arguments, env=shop.environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "'a lot' is no number" in done.stderr
    write_file(file, [["wrong-1", "2026-01-01T00:00:00Z", "wrong", "", "PURCHASE", "100"]])
    assert shop.replay(laurel, file)["replayed"] == 0


def test_ctrl_c_ends_it_between_two_calls_and_nothing_is_left_open(laurel: Serve, tmp_path: Path) -> None:
    file = tmp_path / "long.csv"
    row = ["2026-01-01T00:00:00Z", "patient", "", "PURCHASE", "100"]  # one user: one award a call
    write_file(file, [[f"long-{number}", *row] for number in range(50_000)])
    arguments = shop.command(file, "--address", laurel.run["grpc"], "--json")
    with subprocess.Popen(arguments, env=shop.environment(), stdout=subprocess.PIPE, text=True) as running:
        eventually(lambda: shop.points_of(laurel, "patient"), "the first award")
        running.send_signal(signal.SIGINT)
        output, _ = running.communicate(timeout=60)
    report = json.loads(output)
    assert running.returncode == 130
    assert (report["failed"], report["broken_off_by"]) == ({}, None)
    assert report["awarded"] + report["not_played"] == 50_000
    assert shop.points_of(laurel, "patient") == report["awarded"]
