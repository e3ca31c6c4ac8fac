-- Adds the next version of a campaign, and its spending when it is the first. $1-$14: its columns but the version.
-- Result: the version.
WITH spending AS (
    INSERT INTO campaign_spending (campaign_id, spent_points) VALUES ($1, 0) ON CONFLICT (campaign_id) DO NOTHING
)
INSERT INTO campaigns (
    campaign_id, version, display_name, actions, multiplier, starts_at, ends_at, tiers, countries, segments, stack_mode,
    budget_points, active, created_by, created_at)
VALUES ($1, 1 + coalesce((SELECT max(version) FROM campaigns WHERE campaign_id = $1), 0),
        $2, $3, $4, $5, $6, $7::smallint[], $8, $9, $10, $11, $12, $13, $14)
RETURNING version
