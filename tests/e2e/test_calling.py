"""The commands that call a server, as a person runs them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from laurel_server.domain.actions import SYSTEM_ACTIONS
from tests.e2e.serving import Serve

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(laurel: Serve) -> Run:
    """Runs a command beside the server, which it finds by the data directory."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("LAUREL_")}
        return subprocess.run(
            [sys.executable, "-m", "laurel_server.cli", *arguments],
            env={**inherited, "LAUREL_DATA_DIR": str(laurel.data_dir), **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


@pytest.fixture
def user() -> str:
    """An id that no other test has."""
    return f"user-{uuid4().hex[:12]}"


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_award_shows_points_balance_and_ranks(run: Run, user: str) -> None:
    done = run("award", user, "PURCHASE", "order_value=600000.00")
    assert done.returncode == 0, done.stderr
    assert f"{user} gets 6,000 points for PURCHASE" in done.stdout
    assert "balance 6,000, lifetime 6,000, silver" in done.stdout
    assert "new tier: silver" in done.stdout
    assert "global all-time" in done.stdout


def test_the_same_request_id_awards_once(run: Run, user: str) -> None:
    first = answer(run("award", user, "REVIEW", "--request-id", f"r-{user}", "--json"))
    second = answer(run("award", user, "REVIEW", "--request-id", f"r-{user}", "--json"))
    assert (first["replayed"], second["replayed"]) == (False, True)
    assert second["transaction"] == first["transaction"]
    assert (
        "got, before this call, 20 points" in run("award", user, "REVIEW", "--request-id", f"r-{user}").stdout
    )


def test_a_dry_run_changes_nothing(run: Run, user: str) -> None:
    assert f"{user} would get 20 points" in run("award", user, "REVIEW", "--dry-run").stdout
    assert answer(run("award", user, "REVIEW", "--json"))["rewards"]["total_points"] == "20"


def test_top_and_rank_agree_with_the_award(run: Run, user: str) -> None:
    ranks = answer(run("award", user, "PURCHASE", "order_value=770000", "--json"))["ranks"]
    awarded = {(rank["board"]["scope"], rank["board"]["period_id"]): rank["rank"] for rank in ranks}
    top = answer(run("top", "--period", "weekly", "--limit", "1000", "--json"))
    line = next(entry for entry in top["entries"] if entry["user_id"] == user)
    assert line["rank"] == awarded["global", top["board"]["period_id"]]
    around = answer(run("rank", user, "tier:silver", "--json"))
    assert (around["rank"], around["score"]) == (awarded["tier:silver", "all"], "7700")
    everywhere = answer(run("rank", user, "--boards", "--json"))["ranks"]
    assert {(each["board"]["scope"], each["board"]["period_id"]) for each in everywhere} == set(awarded)


def test_text_answers_are_for_people(run: Run, user: str) -> None:
    run("award", user, "REVIEW")
    top = run("top", "--limit", "1", "--user", user)
    assert top.stdout.startswith("global all-time, ")
    assert user in top.stdout
    rank = run("rank", user, "--around", "1")
    assert rank.stdout.startswith(f"{user}: rank ")
    assert "tier:bronze weekly" in run("rank", user, "--boards").stdout
    assert user in run("watch", "--top", "100", "--user", user, "--updates", "2").stdout
    listed = run("actions").stdout
    assert "order_value * 0.01" in listed
    assert [line.split()[0] for line in listed.splitlines() if "not to callers" in line] == sorted(
        SYSTEM_ACTIONS
    )


def test_who_is_not_on_a_board_is_said_so(run: Run, user: str) -> None:
    run("award", user, "REVIEW")
    assert "is not on this board" in run("top", "tier:gold", "--user", user).stdout


def test_watch_says_a_line_of_json_for_each_change(run: Run, user: str) -> None:
    run("award", user, "REVIEW")
    done = run("watch", "--json", "--user", user, "--updates", "2")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    (top,) = (line["top"] for line in lines if "top" in line)
    (rank,) = (line["rank"] for line in lines if "rank" in line)
    assert top["board"]["period_id"] == rank["board"]["period_id"] == "all"
    assert rank["score"] == "20"


def test_rebuild_fills_one_board_or_all(run: Run, user: str) -> None:
    run("award", user, "REVIEW")
    one = answer(run("rebuild", "global", "--period", "weekly", "--json"))
    assert one["boards"] == "1"
    assert int(one["members"]) >= 1
    every = run("rebuild")
    assert every.returncode == 0
    assert every.stdout.startswith("rebuilt ")


def test_jobs_are_listed_run_and_looked_back_on(run: Run) -> None:
    assert {"verify", "close_periods"} <= {job["job"] for job in answer(run("jobs", "--json"))["jobs"]}
    assert "verify" in run("jobs").stdout
    made = answer(run("jobs", "verify", "--run", "--json"))
    assert made["state"] == "JOB_STATE_SUCCEEDED"
    runs = answer(run("jobs", "verify", "--json"))["runs"]
    assert made["run_id"] in [each["run_id"] for each in runs]
    assert "succeeded" in run("jobs", "verify").stdout
    assert run("jobs", "--run").returncode == 2
    assert run("jobs", "juggle", "--run").returncode == 1


def test_bench_measures_and_changes_nothing_unless_told(run: Run) -> None:
    measured = answer(run("bench", "--seconds", "0.2", "-c", "4", "--json"))
    assert set(measured) == {"AwardPoints (validate_only)", "GetLeaderboard"}
    assert all(result["calls_per_second"] > 0 for result in measured.values())
    assert run("rank", "bench-0").returncode == 1
    assert "AwardPoints" in run("bench", "--seconds", "0.2", "--write").stdout
    assert run("rank", "bench-0").returncode == 0


def test_actions_lists_what_can_be_awarded(run: Run) -> None:
    configs = answer(run("actions", "--json"))["configs"]
    formulas = {config["action"]: config["points_formula"] for config in configs}
    assert formulas["PURCHASE"] == "order_value * 0.01"


@pytest.mark.parametrize(
    ("arguments", "reason", "advice"),
    [
        (("award", "ada", "JUGGLING"), "ACTION_NOT_FOUND", "`laurel actions`"),
        (("rank", "nobody-at-all"), "USER_NOT_FOUND", "check the spelling"),
        (("top", "region:nowhere"), "BOARD_NOT_FOUND", "scope and --period"),
        (("top", "--period-id", "now"), "INVALID_FIELD", ""),
        (("watch", "region:nowhere"), "BOARD_NOT_FOUND", "scope and --period"),
        (("rebuild", "region:nowhere"), "BOARD_NOT_FOUND", "scope and --period"),
    ],
    ids=lambda case: " ".join(case) if isinstance(case, tuple) else "",
)
def test_a_refusal_says_why_and_what_to_do(
    run: Run, arguments: tuple[str, ...], reason: str, advice: str
) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"laurel: {reason}: ")
    assert advice in done.stderr
    assert "Traceback" not in done.stderr
    error = json.loads(run(*arguments, "--json").stdout)["error"]
    assert error["reason"] == reason
    assert advice in error["advice"]


@pytest.mark.parametrize("command", [("top",), ("watch",)], ids=" ".join)
def test_without_a_server_it_says_how_to_get_one(run: Run, command: tuple[str, ...]) -> None:
    done = run(*command, LAUREL_ADDRESS="127.0.0.1:1")
    assert (done.returncode, done.stdout) == (3, "")
    assert "no Laurel answers at 127.0.0.1:1: start one with ./scripts/serve" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("award", "ada", "REVIEW", "order_value"), "is not of the form NAME=VALUE"),
        (("award", "ada", "REVIEW", "--occurred-at", "noon"), "is no time such as"),
        (("award", "ada", "REVIEW", "--occurred-at", "2026-11-23T09:30:00"), "names no time zone"),
        (("top", "--period", "hourly"), "hourly"),
    ],
)
def test_wrong_usage_ends_with_2_and_calls_nobody(
    run: Run, arguments: tuple[str, ...], complaint: str
) -> None:
    done = run(*arguments, LAUREL_ADDRESS="127.0.0.1:1", COLUMNS="300")
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr


def test_an_address_may_be_given(run: Run, laurel: Serve, user: str) -> None:
    elsewhere = {"LAUREL_DATA_DIR": str(laurel.data_dir / "none")}
    assert run("award", user, "REVIEW", "--address", laurel.run["grpc"], **elsewhere).returncode == 0
    assert run("rank", user, LAUREL_ADDRESS=laurel.run["grpc"], **elsewhere).returncode == 0
