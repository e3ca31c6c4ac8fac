"""What a person at a terminal can do about an error."""

from typing import Final

from laurel_client import LaurelCallError

_BY_REASON: Final = {
    "ACTION_NOT_FOUND": "`laurel actions` lists the actions that exist",
    "ACTION_INACTIVE": "`laurel actions` shows when an action is active",
    "BOARD_NOT_FOUND": "the board is not kept: check scope and --period",
    "BOARDS_REBUILDING": "the boards are being filled from the ledger: try again in a moment",
    "COOLDOWN_ACTIVE": "the action has a cooldown: try again {later}",
    "CREDENTIALS_INVALID": "the server does not know this token: check LAUREL_TOKEN",
    "CREDENTIALS_MISSING": "set LAUREL_TOKEN to a token of this server",
    "DAILY_CAP_REACHED": "the user has had the most that this action gives in a day",
    "DRAINING": "the server is about to stop: try again in a moment",
    "IDEMPOTENCY_CONFLICT": "this --request-id has been used for something else: use a new one",
    "LEDGER_UNAVAILABLE": "the server cannot reach PostgreSQL: `laurel doctor` tells more on its machine",
    "NOT_ON_BOARD": "the user has no points there, or is hidden",
    "OVERLOADED": "the server has all it can do: try again {later}",
    "PERIOD_NOT_FOUND": "ids look like 2026-11-23, 2026-W48, 2026-11, 2026-Q4, 2026",
    "SCOPE_MISSING": "the token in LAUREL_TOKEN may not do this",
    "USER_NOT_FOUND": "check the spelling: a user exists from the first award on",
}


def advice_on(error: LaurelCallError, place: str) -> str:
    """Return what to do about an error of the server at `place`; empty if there is nothing to add."""
    if not error.reason and error.code.name == "UNAVAILABLE":
        return f"no Laurel answers at {place}: start one with ./scripts/serve, or name one with --address"
    if error.code.name == "DEADLINE_EXCEEDED":
        return "--timeout gives it longer"
    return _BY_REASON.get(error.reason, "").format(later=_later(error))


def _later(error: LaurelCallError) -> str:
    if error.retry_after is None:
        return "later"
    return f"in {error.retry_after.total_seconds():.0f} s"
