"""Changes that somebody could make to one row of the ledger of `test_tampering`, and the checks that find them."""


def of(user: str) -> str:
    """Return the number of a user, as SQL."""
    return f"(SELECT user_no FROM users WHERE user_id = '{user}')"


def entry(user: str, action: str, place: int = 0) -> str:
    """Return the id of an entry, as SQL: the `place`-th of that user and action."""
    return (
        f"(SELECT transaction_id FROM reward_transactions WHERE user_no = {of(user)} AND action = '{action}'"
        f" ORDER BY transaction_id OFFSET {place} LIMIT 1)"
    )


ANN, BOB, EVE = of("ann"), of("bob"), of("eve")
SPENT = entry("ann", "GIVE")  # its lot has nothing left, and no row
PARTLY = entry("ann", "GIVE", 1)
OPEN = entry("ann", "GIVE", 2)
REDEEMED, CANCELLED = entry("ann", "REDEMPTION", 1), entry("ann", "REDEMPTION")
GIVEN_BACK, TAKEN_BACK = entry("ann", "REVERSAL"), entry("ann", "REVERSAL", 1)
OVERDRAWN = entry("bob", "REVERSAL")
EXPIRED = entry("eve", "EXPIRATION")
CAPTURED = entry("ann", "REDEMPTION", 2)

LAST_OUTCOME = "(SELECT outcome FROM idempotency_keys ORDER BY created_at DESC LIMIT 1)"
ANSWER = "(SELECT key FROM idempotency_keys ORDER BY created_at LIMIT 1)"  # that of the first award


FOUND = {
    "balances_equal_entries": (f"UPDATE user_rewards SET balance = balance + 1 WHERE user_no = {ANN}",),
    "balances_equal_lots": (f"UPDATE user_rewards SET balance = balance + 1 WHERE user_no = {ANN}",),
    "deficits_follow_entries": (
        f"UPDATE user_rewards SET deficit = deficit + 1 WHERE user_no = {ANN}",
        f"DELETE FROM lot_debits WHERE transaction_id = {TAKEN_BACK}",
        f"DELETE FROM lot_debits WHERE transaction_id = {OVERDRAWN}",
    ),
    "counters_equal_entries": (
        f"UPDATE user_rewards SET lifetime_points = lifetime_points + 1 WHERE user_no = {ANN}",
        f"UPDATE user_rewards SET redeemed_points = redeemed_points + 1 WHERE user_no = {ANN}",
        f"UPDATE user_rewards SET expired_points = expired_points + 1 WHERE user_no = {ANN}",
        f"UPDATE user_rewards SET last_reward_at = last_reward_at - interval '1 s' WHERE user_no = {ANN}",
        f"UPDATE user_rewards SET last_reward_at = NULL WHERE user_no = {ANN}",
    ),
    "holds_equal_held_points": (
        f"UPDATE user_rewards SET held_points = held_points + 1 WHERE user_no = {ANN}",
        "UPDATE holds SET points = 10 WHERE points = 11",
        "UPDATE holds SET state = 3, closed_at = created_at WHERE points = 11",
        "UPDATE holds SET state = 1 WHERE points = 12",
        f"UPDATE holds SET user_no = {BOB} WHERE points = 11",
        "DELETE FROM holds WHERE points = 11",
    ),
    "tiers_follow_changes": (
        f"UPDATE user_rewards SET tier = 2 WHERE user_no = {ANN}",
        f"UPDATE user_rewards SET tier_since = tier_since + interval '1 s' WHERE user_no = {ANN}",
        "DELETE FROM tier_changes WHERE to_tier = 1",
        "DELETE FROM tier_changes WHERE to_tier = 2",
        "UPDATE tier_changes SET to_tier = 3 WHERE to_tier = 2",
        "UPDATE tier_changes SET from_tier = 3 WHERE from_tier = 2",
        "UPDATE tier_changes SET points = 0 WHERE to_tier = 2",
        "UPDATE tier_changes SET changed_at = changed_at - interval '1 s' WHERE to_tier = 2",
        "UPDATE tier_changes SET cause = 'REVIEW' WHERE to_tier = 2",
        "UPDATE tier_changes SET transaction_id = 7 WHERE to_tier = 2",
        "UPDATE tier_changes SET transaction_id = NULL WHERE to_tier = 2",
        f"UPDATE tier_changes SET user_no = {EVE} WHERE to_tier = 2",
        f"INSERT INTO tier_changes VALUES (DEFAULT, {EVE}, 1, 2, now(), 'REVIEW', NULL, 6000)",
    ),
    "times_cover_lots": (
        f"UPDATE user_rewards SET next_expiry = NULL WHERE user_no = {ANN}",
        f"UPDATE user_rewards SET next_expiry = next_expiry + interval '3 years' WHERE user_no = {ANN}",
        f"UPDATE user_rewards SET pending_until = NULL WHERE user_no = {ANN}",
        f"UPDATE user_rewards SET pending_until = pending_until - interval '1 s' WHERE user_no = {ANN}",
    ),
    "versions_cover_entries": (f"UPDATE user_rewards SET version = 1 WHERE user_no = {ANN}",),
    "totals_equal_entries": (
        f"UPDATE user_rewards SET open_totals = jsonb_set(open_totals, '{{all,0}}', '1') WHERE user_no = {ANN}",
        f"UPDATE user_rewards SET open_totals = jsonb_set(open_totals, '{{all,1}}', '1') WHERE user_no = {ANN}",
        f"UPDATE user_rewards SET open_totals = open_totals - 'all' WHERE user_no = {ANN}",
        f"UPDATE period_totals SET score = score + 1 WHERE period_id = '2026-11-25' AND user_no = {EVE}",
        f"UPDATE period_totals SET reached = 1 WHERE period_id = '2026-11-25' AND user_no = {EVE}",
        f"DELETE FROM period_totals WHERE period_id = '2026-11-25' AND user_no = {EVE}",
        f"INSERT INTO period_totals VALUES ('2026-11-24', {EVE}, 5, 1, '{{}}')",
    ),
    "entries_have_users": (
        f"DELETE FROM users WHERE user_no = {ANN}",
        f"DELETE FROM user_rewards WHERE user_no = {ANN}",
    ),
    "lots_equal_entries": (
        f"DELETE FROM lot_debits WHERE transaction_id = {REDEEMED} AND lot_id = {PARTLY}",
        f"DELETE FROM reward_transactions WHERE transaction_id = {SPENT}",
        f"UPDATE reward_transactions SET points = points + 1 WHERE transaction_id = {SPENT}",
        f"UPDATE reward_transactions SET user_no = {BOB} WHERE transaction_id = {OPEN}",
        f"DELETE FROM lots WHERE lot_id = {OPEN}",
        f"UPDATE lots SET remaining = remaining + 1 WHERE lot_id = {OPEN}",
        f"UPDATE lots SET remaining = remaining - 1 WHERE lot_id = {OPEN}",
        f"UPDATE lots SET lot_id = 7 WHERE lot_id = {OPEN}",
        f"UPDATE lots SET user_no = {BOB} WHERE lot_id = {OPEN}",
        f"INSERT INTO lots VALUES ({ANN}, 'infinity', {SPENT}, 5, NULL)",
        f"INSERT INTO lots VALUES ({EVE}, 'infinity', 7, 5, NULL)",
        f"UPDATE lot_debits SET lot_id = 7 WHERE transaction_id = {REDEEMED} AND lot_id = {SPENT}",
    ),
    "rows_belong_to_entries": (
        f"DELETE FROM reward_transactions WHERE transaction_id = {REDEEMED}",
        f"UPDATE lot_debits SET transaction_id = 7 WHERE transaction_id = {REDEEMED} AND lot_id = {SPENT}",
        "INSERT INTO lot_debits VALUES (7, 8, 5, NULL, 'infinity')",
        "INSERT INTO reversals VALUES (7, 3, '0')",
    ),
    "reversals_equal_entries": (
        f"DELETE FROM reward_transactions WHERE transaction_id = {TAKEN_BACK}",
        f"UPDATE reward_transactions SET reverses_transaction_id = {SPENT} WHERE transaction_id = {TAKEN_BACK}",
        f"UPDATE reversals SET reversed_points = reversed_points - 1 WHERE transaction_id = {CANCELLED}",
        f"UPDATE reversals SET part = '0' WHERE transaction_id = {entry('ann', 'GIVE', 2)}",
        f"UPDATE reversals SET transaction_id = {SPENT} WHERE transaction_id = {CANCELLED}",
        f"DELETE FROM reversals WHERE transaction_id = {CANCELLED}",
        f"INSERT INTO reversals VALUES ({SPENT}, 3, '0')",
    ),
    "holds_equal_captures": (
        f"DELETE FROM reward_transactions WHERE transaction_id = {CAPTURED}",
        "UPDATE holds SET captured_points = 19 WHERE points = 30",
        "UPDATE holds SET captured_points = 1 WHERE points = 12",
        "UPDATE holds SET state = 3 WHERE points = 30",
        "UPDATE holds SET state = 2 WHERE points = 12",
        "UPDATE holds SET state = 3 WHERE points = 13",
        "UPDATE holds SET closed_at = NULL WHERE points = 12",
        "UPDATE holds SET closed_at = closed_at + interval '1 s' WHERE points = 30",
        f"UPDATE holds SET user_no = {BOB} WHERE points = 30",
        "DELETE FROM holds WHERE points = 30",
    ),
    "debits_equal_entries": (
        f"DELETE FROM lot_debits WHERE transaction_id = {REDEEMED} AND lot_id = {PARTLY}",
        f"DELETE FROM lot_debits WHERE transaction_id = {REDEEMED} AND lot_id = {SPENT}",
        f"UPDATE reward_transactions SET points = points - 1 WHERE transaction_id = {REDEEMED}",
        f"UPDATE reward_transactions SET reference_id = '7' WHERE transaction_id = {EXPIRED}",
        f"DELETE FROM lot_debits WHERE transaction_id = {CANCELLED} AND lot_id = {SPENT}",
        f"DELETE FROM lot_debits WHERE transaction_id = {GIVEN_BACK} AND lot_id = {SPENT}",
        f"DELETE FROM lot_debits WHERE transaction_id = {EXPIRED}",
        f"DELETE FROM lot_debits WHERE transaction_id = {CAPTURED}",
        f"UPDATE lot_debits SET points = points + 1 WHERE transaction_id = {REDEEMED} AND lot_id = {SPENT}",
        f"UPDATE lot_debits SET points = -points WHERE transaction_id = {EXPIRED}",
        f"UPDATE lot_debits SET lot_id = {OPEN} WHERE transaction_id = {GIVEN_BACK} AND lot_id = {SPENT}",
        f"INSERT INTO lot_debits VALUES ({SPENT}, {PARTLY}, 5, NULL, 'infinity')",
        f"INSERT INTO lot_debits VALUES ({REDEEMED}, {entry('bob', 'GIVE')}, 5, NULL, 'infinity')",
    ),
    "balances_follow_one_another": (
        f"UPDATE reward_transactions SET balance_after = 0 WHERE transaction_id = {SPENT}",
    ),
    "lots_keep_their_times": (
        f"UPDATE reward_transactions SET expires_at = now() WHERE transaction_id = {OPEN}",
        f"UPDATE reward_transactions SET activates_at = now() WHERE transaction_id = {OPEN}",
        f"UPDATE lots SET expires_at = now() WHERE lot_id = {OPEN}",
        f"UPDATE lots SET activates_at = now() WHERE lot_id = {OPEN}",
        f"UPDATE lot_debits SET expires_at = now() WHERE transaction_id = {REDEEMED} AND lot_id = {SPENT}",
        f"UPDATE lot_debits SET activates_at = now() WHERE transaction_id = {REDEEMED} AND lot_id = {SPENT}",
    ),
    "outbox_tells_entries": (
        f"DELETE FROM outbox WHERE batch_no = {REDEEMED} >> 10 & (1::bigint << 38) - 1",
        f"UPDATE outbox SET events = '[]' WHERE batch_no = {REDEEMED} >> 10 & (1::bigint << 38) - 1",
        f"UPDATE outbox SET user_nos = '{{}}' WHERE batch_no = {REDEEMED} >> 10 & (1::bigint << 38) - 1",
        "UPDATE outbox SET events = replace(events::text, '-165', '-164')::json WHERE events::text LIKE '%-165%'",
        f"DELETE FROM reward_transactions WHERE transaction_id = {SPENT}",
    ),
    "answers_name_entries": (
        f"DELETE FROM idempotency_keys WHERE key = {ANSWER}",
        f"UPDATE idempotency_keys SET key = 'elsewhere' WHERE key = {ANSWER}",
        f"UPDATE idempotency_keys SET outcome = 'nonsense' WHERE key = {ANSWER}",
        f"UPDATE idempotency_keys SET outcome = {LAST_OUTCOME} WHERE key = {ANSWER}",
    ),
    "entries_match_digests": (
        "UPDATE ledger_chain SET first_batch = first_batch + 1000",
        "DELETE FROM ledger_batches WHERE batch_no = (SELECT min(batch_no) FROM ledger_batches)",
        "UPDATE ledger_batches SET digest = sha256('x') WHERE batch_no = (SELECT min(batch_no) FROM ledger_batches)",
    ),
    "seals_follow_digests": (
        "UPDATE ledger_seals SET seal = sha256('x') WHERE batch_no = (SELECT min(batch_no) FROM ledger_seals)",
        "DELETE FROM ledger_seals WHERE batch_no = (SELECT min(batch_no) FROM ledger_seals)",
    ),
}
"""Changes of one row by the check that finds them. Holds go by their points: 30 captured, 11 active, 12 released, 13
expired."""
