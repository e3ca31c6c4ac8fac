-- Adds the next version of an action config. $1-$22: its columns but the version. Result: the version.
INSERT INTO reward_action_configs (
    action, version, display_name, description, points_formula, base_points, tier_multipliers, max_points_per_action,
    max_daily_points, cap_mode, cooldown, expires_after, board_effect, active, effective_from, effective_until,
    created_by, created_at, pending_for, expires_at_month_end,
    streak_step, streak_maximum, referral_points)
VALUES ($1, 1 + coalesce((SELECT max(version) FROM reward_action_configs WHERE action = $1), 0),
        $2, $3, $4, $5, $6::text::jsonb, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
RETURNING version
