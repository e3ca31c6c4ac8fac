"""What a batch writes down of each command beside the entry: its inputs, and its event for the outbox."""

import orjson

from laurel_server.domain.awards import AwardCommand, Posting
from laurel_server.domain.commands import Change
from laurel_server.domain.expiry import EXPIRATION
from laurel_server.domain.ledger import LedgerEntry, Rewards
from laurel_server.domain.points import DAILY
from laurel_server.domain.tiers import TierChange


def award_inputs(command: AwardCommand, posting: Posting) -> str:
    """Return what the points were computed from, as JSON; with the entry it is enough to compute them again."""
    breakdown = posting.breakdown
    return orjson.dumps(
        {
            "attributes": command.attributes,
            "config": posting.config_version,
            "tier": posting.tier_before.name,
            "tier_multiplier": str(breakdown.tier_multiplier),
            "campaigns": [(each.campaign_id, str(each.multiplier)) for each in breakdown.campaigns],
            "uncapped": breakdown.uncapped_points,
            "cap": breakdown.cap,
            "periods": [period.id for period in posting.counted],
            **({"streak": breakdown.streak} if breakdown.streak else {}),
            **({"budgets": breakdown.budgets} if breakdown.budgets else {}),
            **({"used_today": breakdown.used_today} if breakdown.cap == DAILY else {}),
            **({} if command.granted_points is None else {"granted": command.granted_points}),
        }
    ).decode()


def award_event(posting: Posting, user_no: int) -> dict[str, object]:
    """Return the `rewards.earned` event of an entry.

    The number says who is meant in this event and the others: somebody else may have the id when it is heard.
    """
    entry, rewards = posting.entry, posting.rewards
    return {
        "type": "rewards.earned",
        "transaction_id": str(entry.transaction_id),
        "user_id": entry.user_id,
        "user_no": user_no,
        "action": entry.action,
        "points": entry.points,
        "total_points": rewards.total_points,
        "lifetime_points": rewards.lifetime_points,
        "tier": rewards.tier.name,
        "tier_before": posting.tier_before.name,
        "occurred_at": entry.occurred_at,
        "recorded_at": entry.transaction_time,
        "periods": [period.id for period in posting.counted],
    }


def change_inputs(change: Change, entry: LedgerEntry, before: Rewards) -> str:
    """Return what an entry that is no award did beside the balance, as JSON; its lots are kept in `lot_debits`.

    `part`: the parts of the original that have been asked back by now; `hold`: the one that was captured.
    """
    after = change.rewards
    return orjson.dumps(
        {
            "tier": before.tier.name,
            "periods": change.period_ids,
            "lifetime": after.lifetime_points - before.lifetime_points,
            "redeemed": after.redeemed_points - before.redeemed_points,
            "expired": -entry.points if entry.action == EXPIRATION else 0,
            **({"part": str(change.part)} if change.part else {}),
            **({"hold": str(change.hold.hold_id)} if change.hold else {}),
        }
    ).decode()


def change_event(change: Change, entry: LedgerEntry, user_no: int) -> dict[str, object]:
    """Return the `rewards.changed` event of an entry that is no award."""
    return {
        "type": "rewards.changed",
        "transaction_id": str(entry.transaction_id),
        "user_id": entry.user_id,
        "user_no": user_no,
        "action": entry.action,
        "points": entry.points,
        "total_points": change.rewards.total_points,
        "lifetime_points": change.rewards.lifetime_points,
        "tier": change.rewards.tier.name,
        "tier_before": change.tier_before.name,
        "periods": change.period_ids,
        "reverses_transaction_id": str(entry.reverses_transaction_id or ""),
        "occurred_at": entry.occurred_at,
        "recorded_at": entry.transaction_time,
    }


def tier_event(change: TierChange, entry: LedgerEntry | None, user_no: int) -> dict[str, object]:
    """Return the `tier.changed` event of an entry that is no award, or of a review."""
    return {
        "type": "tier.changed",
        "transaction_id": str(entry.transaction_id) if entry else "",
        "user_id": change.user_id,
        "user_no": user_no,
        "from_tier": change.from_tier.name,
        "to_tier": change.to_tier.name,
        "changed_at": change.changed_at,
    }
