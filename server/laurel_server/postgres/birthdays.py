"""Who has his birthday."""

from collections.abc import AsyncIterator, Collection
from datetime import datetime

from laurel_server.pacing import COMMANDS_AT_ONCE
from laurel_server.postgres.pool import Pool
from laurel_server.postgres.sql import load


async def born_on(
    pool: Pool, days: Collection[int], known_before: datetime, given_as: str, first_id: int
) -> AsyncIterator[list[tuple[int, str]]]:
    """Yield the numbers and ids of users whose birthday is one of `days` (month * 100 + day), in chunks.

    Who has had the bonus since `first_id`, whose request_id begins with `given_as`, is left out.
    """
    after = 0
    while rows := await pool.fetch(
        load("birthdays_due"), list(days), known_before, after, COMMANDS_AT_ONCE, given_as, first_id
    ):
        yield [(row["user_no"], row["user_id"]) for row in rows]
        after = rows[-1]["user_no"]
