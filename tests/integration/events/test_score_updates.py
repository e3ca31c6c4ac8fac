"""`leaderboard.updated` for score boards, on a real broker: scores, removals, what hides users, and resets."""

from datetime import timedelta

from laurel_server.domain.boards import Visibility
from laurel_server.domain.ledger import User
from laurel_server.domain.people import Order
from laurel_server.runtime.wiring import Parts
from tests.integration.events.conftest import Connected
from tests.integration.events.reading import Reader, Seen
from tests.integration.leaderboards.scoring import board, command, remove, report
from tests.integration.wired import START, give
from tests.kafka import Broker

UPDATED = "leaderboard.updated"
DAILY = "0 0 * * *"


def standings(seen: Seen) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Return rank, score and total by board."""
    return {
        (each.board.scope, each.board.period_id): (each.rank, each.score, each.total)
        for each in seen.body.standings
    }


async def last(reader: Reader, user_id: str, updates: int) -> Seen:
    """Return the last of so many updates of a user."""
    seen = await reader.until({UPDATED: updates}, user_id)
    return [each for each in seen if each.topic == UPDATED][-1]


async def hide(parts: Parts, user_id: str, visibility: Visibility) -> None:
    name = f"{visibility.name} {user_id}".encode()
    order = Order(user_id, name.decode(), name.ljust(16, b"-")[:16], b"h" * 16, "tests")
    await parts.people.set_visibility(order, visibility)


async def test_a_score_is_told_with_the_users_place(
    connected: Connected, broker: Broker, reader: Reader
) -> None:
    async with connected(broker) as parts:
        await board(parts)
        await report(parts, "score-a", 30)
        await report(parts, "score-b", 20)
        told = await last(reader, "score-b", 1)
    assert standings(told) == {("race", "all"): (2, 20, 2)}
    assert told.body.standings[0].board.period == 0, "score boards have no period but their own"
    assert (told.body.user_id, told.body.event_id) == ("score-b", told.id)
    assert told.body.updated_at.ToDatetime(START.tzinfo) == START


async def test_an_award_does_not_count_on_score_boards_but_both_are_told(
    connected: Connected, broker: Broker, reader: Reader
) -> None:
    async with connected(broker) as parts:
        await board(parts)
        await report(parts, "both", 7)
        await last(reader, "both", 1)
        await give(parts, "both", 5)
        seen = await reader.until({"rewards.earned": 1, UPDATED: 2}, "both")
    (earned,) = [each for each in seen if each.topic == "rewards.earned"]
    update = [each for each in seen if each.topic == UPDATED][-1]
    assert ("race", "all") not in standings(earned)
    assert standings(update) == {**standings(earned), ("race", "all"): (1, 7, 1)}


async def test_scores_of_a_moment_are_conflated(connected: Connected, broker: Broker, reader: Reader) -> None:
    async with connected(broker) as parts:
        await board(parts)
        await parts.scores.do_batch([command("busy-score", score) for score in range(50)], None)
        seen = await reader.until({UPDATED: 1}, "busy-score")
    (told,) = [each for each in seen if each.topic == UPDATED]
    assert {each.score for each in told.body.standings} == {49}


async def test_who_is_taken_off_or_falls_out_is_told(
    connected: Connected, broker: Broker, reader: Reader
) -> None:
    async with connected(broker) as parts:
        await board(parts, max_entries=1)
        await report(parts, "fallen", 1)
        await last(reader, "fallen", 1)
        await report(parts, "winner", 2)  # there is room for one
        assert standings(await last(reader, "fallen", 2)) == {}
        assert standings(await last(reader, "winner", 1)) == {("race", "all"): (1, 2, 1)}
        assert await remove(parts, "winner")
        assert standings(await last(reader, "winner", 2)) == {}


async def test_who_is_hidden_and_shown_again_or_moves_to_another_country_is_told(
    connected: Connected, broker: Broker, reader: Reader
) -> None:
    async with connected(broker) as parts:
        await board(parts)
        await report(parts, "shy", 3)
        await last(reader, "shy", 1)
        await hide(parts, "shy", Visibility.HIDDEN)
        assert standings(await last(reader, "shy", 2)) == {}
        await hide(parts, "shy", Visibility.PUBLIC)
        assert standings(await last(reader, "shy", 3)) == {("race", "all"): (1, 3, 1)}
        await give(parts, "shy", 1)
        await last(reader, "shy", 4)
        await parts.profiles.upsert([User("shy", country="FR")])
        told = standings(await last(reader, "shy", 5))
        assert told["country:FR", "all"] == (1, 1, 1)
        assert told["race", "all"] == (1, 3, 1)


async def test_a_reset_is_told_once_for_the_whole_board(
    connected: Connected, broker: Broker, reader: Reader
) -> None:
    async with connected(broker) as parts:
        assert parts.clock is not None
        await board(parts, reset_cron=DAILY)
        await board(parts, "empty", reset_cron=DAILY)
        await report(parts, "runner", 3)
        assert standings(await last(reader, "runner", 1)) == {("race", "2026-11-25T00:00Z"): (1, 3, 1)}
        await parts.clock.set(START + timedelta(days=1))
        await give(parts, "anybody", 1)  # so that the clock of the next server does not go back
        (reset,) = await reader.until({UPDATED: 1}, "race/2026-11-26T00:00Z")
        assert (reset.body.board.scope, reset.body.board.period_id) == ("race", "2026-11-26T00:00Z")
        assert (reset.body.user_id, list(reset.body.standings)) == ("", [])
        await report(parts, "runner", 1)
        assert standings(await last(reader, "runner", 2)) == {("race", "2026-11-26T00:00Z"): (1, 1, 1)}
    async with connected(broker) as parts:  # another server has nothing new to tell of it
        await report(parts, "runner", 2)
        assert standings(await last(reader, "runner", 3)) == {("race", "2026-11-26T00:00Z"): (1, 2, 1)}
    boards = [each for each in reader.seen if each.topic == UPDATED and not each.body.user_id]
    assert len({each.id for each in boards}) == 1, "the board without anybody has nothing to tell"


async def test_a_poisoned_score_is_set_aside_and_the_next_go_on(
    connected: Connected, broker: Broker, reader: Reader
) -> None:
    async with connected(broker) as parts:
        await board(parts)
        await parts.pool.execute(
            "INSERT INTO outbox (batch_no, projected, user_nos, events)"
            " VALUES (nextval('ledger_batch_seq'), true, '{}',"
            """ '[{"type": "score.updated", "recorded_at": "soon", "user_id": "lost"}, {"type": "board.reset"}]')"""
        )
        await report(parts, "well", 1)
        await last(reader, "well", 1)
        assert await parts.pool.fetchval("SELECT count(*) FROM events_set_aside") == 2
