from datetime import UTC, datetime, timedelta

import pytest

from laurel_server.domain.board_configs import BoardConfig
from laurel_server.leaderboards.present_boards import PresentBoards
from laurel_server.runtime.wiring import Parts
from tests.integration.leaderboards.scoring import board
from tests.integration.leaderboards.test_administration import request
from tests.integration.wired import START

DAYS = ["2026-11-25T00:00Z", "2026-11-26T00:00Z"]


async def test_boards_are_looked_up_again_when_one_resets_or_is_changed_and_at_no_other_time(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert parts.clock is not None
    await board(parts, "daily", reset_cron="0 0 * * *")
    await board(parts, "weekly", reset_cron="0 0 * * 1")
    await board(parts, "forever")
    catalogue = parts.maintenance.catalogue
    present = PresentBoards(catalogue, parts.queries, parts.clock)
    looked_up: list[str] = []
    resolve = parts.queries.resolve

    def counted(scope: str, *rest: object) -> object:
        looked_up.append(scope)
        return resolve(scope, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(parts.queries, "resolve", counted)

    def now() -> tuple[dict[str, str], int]:
        """Return the period of each board, and how many were looked up for it."""
        looked_up.clear()
        return {key.scope: key.period_id for key in present.score_boards()}, len(looked_up)

    first = {"daily": DAYS[0], "weekly": "2026-11-23T00:00Z", "forever": "all"}
    assert now() == (first, 3)
    midnight = datetime(2026, 11, 26, tzinfo=UTC)
    for moment in (START, START + timedelta(hours=1), midnight - timedelta(microseconds=1)):
        await parts.clock.set(moment)
        assert now() == (first, 0)
    await parts.clock.set(midnight)
    assert now() == (first | {"daily": DAYS[1]}, 3)
    assert now()[1] == 0
    await parts.boards.update(
        BoardConfig(
            **{name: getattr(catalogue.boards["daily"], name) for name in BoardConfig.__slots__}
        ).changed(catalogue.boards["weekly"], ["reset_cron"]),
        ["reset_cron"],
    )
    assert now() == (first | {"daily": "2026-11-23T00:00Z"}, 3)
    await parts.boards.delete("weekly", request())
    assert now() == ({"daily": "2026-11-23T00:00Z", "forever": "all"}, 2)
    parts.clock._clock.set(midnight - timedelta(days=10))  # as a machine's clock may be set back
    assert now() == ({"daily": "2026-11-16T00:00Z", "forever": "all"}, 2)
