"""What goes into a batch of the ledger and what comes out of it: commands, their results, and whom they are about."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeAlias

from laurel_server.domain.accounts import Account
from laurel_server.domain.awards import (
    AwardCommand,
    Posting,
    Rules,
    referral_of,
)
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.commands import Change, Command
from laurel_server.domain.errors import LaurelError
from laurel_server.domain.identifiers import is_user_id
from laurel_server.rewards.outcomes import (
    StoredAward,
    StoredChange,
)

BATCH_NUMBERS = 1024
"""Sequences that a batch owns: batch_no * 1024 + place."""


class Item(NamedTuple):
    """One command to carry out; `key` is the digest of caller, RPC family and request_id."""

    command: AwardCommand | Command
    key: bytes


Result: TypeAlias = Posting | Change | StoredAward | StoredChange | LaurelError
"""What was done, the answer given before, or the reason against it."""


@dataclass(slots=True)
class CommittedBatch:
    """What a batch did, for the boards and the callers."""

    batch_no: int
    rules: Rules
    results: list[Result]
    accounts: dict[str, Account]
    new_boards: set[BoardKey] = field(default_factory=set)
    wrote: bool = False


def users_of(items: Sequence[Item]) -> set[str]:
    """Return the users that the commands are about."""
    return {item.command.user_id for item in items}


def referred_by(items: Sequence[Item]) -> set[str]:
    """Return the users that awards name as the other side, whether that is rewarded or not."""
    return {
        item.command.referral_id
        for item in items
        if isinstance(item.command, AwardCommand)
        and item.command.referral_id
        and is_user_id(item.command.referral_id)
    }


def users_rewarded(items: Sequence[Item], rules: Rules, now: datetime) -> set[str]:
    """Return the users whom commands may change, on both sides of a referral: those that are only tried out do not."""
    kept = [item.command for item in items if not item.command.validate_only]
    users = {command.user_id for command in kept}
    for command in kept:
        if isinstance(command, AwardCommand) and command.referral_id:
            with suppress(LaurelError):  # it will be the result of its item
                other = referral_of(command, rules, now)
                users |= {other.user_id} if other else set()
    return users


def awarded_actions(items: Sequence[Item]) -> set[str]:
    """Return the actions that the batch awards."""
    return {item.command.action for item in items if isinstance(item.command, AwardCommand)}
