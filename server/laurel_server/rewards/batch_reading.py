"""What a batch reads before it computes, beside what opening it brought: each only where a command needs it."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from laurel_server.domain.accounts import Account, Usage, needs_lot_times
from laurel_server.domain.awards import (
    AwardCommand,
    Rules,
    is_tracked,
)
from laurel_server.domain.commands import Command
from laurel_server.domain.holdings import Holdings
from laurel_server.domain.identifiers import transaction_id
from laurel_server.postgres import badges, ledger
from laurel_server.postgres.holdings import read_holdings
from laurel_server.postgres.ledger import OpenBatch
from laurel_server.postgres.pool import Connection
from laurel_server.postgres.tiers import read_windows
from laurel_server.rewards.batch_items import Item, awarded_actions, referred_by, users_of, users_rewarded
from laurel_server.rewards.batch_work import with_spending


async def read_batch(
    connection: Connection, opened: OpenBatch, items: Sequence[Item], rules: Rules, now: datetime
) -> Rules:
    """Complete the accounts of an opened batch, in place; return the rules with what campaigns have spent.

    Cost: no round trip for known users without limits; one for each of: new users, lots that time changes, limits,
    counted actions, a window of the tiers, commands that are no awards, budgets.
    """
    await _add_new_users(connection, opened, users_rewarded(items, rules, now), items)
    await _read_more(connection, opened, items, rules, now)
    await _read_windows(connection, opened, rules, now)
    await _read_holdings(connection, opened, items, now)
    return await _lock_budgets(connection, items, _at(rules, now))


async def _add_new_users(
    connection: Connection, opened: OpenBatch, rewarded: Collection[str], items: Sequence[Item]
) -> None:
    tried = [item for item in items if item.command.validate_only]
    unknown = {*rewarded, *users_of(items), *referred_by(tried)} - opened.accounts.keys()
    if not unknown:
        return
    coming = sorted(unknown & {*rewarded})
    numbers = await ledger.take_user_numbers(connection, len(coming))
    if len(coming) < len(unknown):  # the others only try out how it would be
        following = await ledger.next_user_number(connection)
        coming += sorted(unknown - set(coming))
        numbers += range(following, following + len(coming) - len(numbers))
    for user_no, user_id in zip(numbers, coming, strict=True):
        opened.accounts[user_id] = Account(user_no, user_id, is_new=True)


async def _read_more(
    connection: Connection, opened: OpenBatch, items: Sequence[Item], rules: Rules, now: datetime
) -> None:
    accounts = opened.accounts.values()
    timed = [account for account in accounts if needs_lot_times(account, now)]
    if timed:
        await ledger.read_lot_times(connection, timed, now)
    actions = awarded_actions(items) & rules.actions.keys()
    tracked = [action for action in actions if is_tracked(rules.actions[action], rules)]
    if tracked:
        await ledger.read_usage(connection, accounts, tracked)
    counted = actions & rules.badges.counted
    if counted:
        await _count_awards(connection, opened, items, counted)


async def _count_awards(
    connection: Connection, opened: OpenBatch, items: Sequence[Item], counted: Collection[str]
) -> None:
    """Fill in how often counted actions were awarded to users of whom nobody has counted them yet."""
    pairs = {
        (account.user_no, item.command.action): account
        for item in items
        if isinstance(item.command, AwardCommand)
        and item.command.action in counted
        and not (account := opened.accounts[item.command.user_id]).is_new
        and ((usage := account.usage.get(item.command.action)) is None or usage.awards is None)
    }
    if not pairs:
        return
    for (user_no, action), awards in (await badges.count_awards(connection, sorted(pairs))).items():
        usage = pairs[user_no, action].usage.setdefault(action, Usage("", 0, None))
        usage.awards = awards


async def _read_windows(connection: Connection, opened: OpenBatch, rules: Rules, now: datetime) -> None:
    """Fill in what users had earned before the window of the tier policy, where it has one."""
    start = rules.tiers.window_start(now)
    if start is None:
        return
    known = [account.user_no for account in opened.accounts.values() if not account.is_new]
    window_from = transaction_id(start, 0)
    earned = await read_windows(connection, known, window_from) if known else {}
    for account in opened.accounts.values():
        account.window_from, account.earned_before = window_from, earned.get(account.user_no, 0)


async def _read_holdings(
    connection: Connection, opened: OpenBatch, items: Sequence[Item], now: datetime
) -> None:
    commands = [item.command for item in items if isinstance(item.command, Command)]
    if not commands:
        return
    needs = [(opened.accounts[command.user_id], command.needs) for command in commands]
    for account, _ in needs:
        account.holdings = Holdings()
    await read_holdings(connection, needs, now)


def _at(rules: Rules, now: datetime) -> Rules:
    """Return the rules with the campaigns that run: each award looks at all there are, and past ones may be many."""
    running = [campaign for campaign in rules.campaigns if campaign.runs_at(now)]
    return rules if len(running) == len(rules.campaigns) else replace(rules, campaigns=running)


async def _lock_budgets(connection: Connection, items: Sequence[Item], rules: Rules) -> Rules:
    actions = awarded_actions(items)
    bounded = [
        campaign.campaign_id
        for campaign in rules.campaigns
        if campaign.budget_points and (not campaign.actions or campaign.actions & actions)
    ]
    if not bounded:
        return rules
    return with_spending(rules, await ledger.lock_spending(connection, bounded))
