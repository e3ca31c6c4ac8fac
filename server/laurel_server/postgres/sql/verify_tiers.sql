-- Compares tiers with the changes that led to them, for the users numbered [$1, $2). $3: the points from which each tier
-- begins, lowest first. Result: as verify_lots. Cost: the changes of tier of those users.
WITH person AS MATERIALIZED (
    SELECT user_no, user_id, tier, tier_since FROM users JOIN user_rewards USING (user_no) WHERE user_no >= $1 AND user_no < $2
), changed AS (
    SELECT *, lag(to_tier, 1, 1::smallint) OVER (PARTITION BY user_no ORDER BY change_no) AS before,
           greatest(1, (SELECT count(*) FROM unnest($3::bigint[]) AS t(threshold) WHERE threshold <= points)) AS reached
      FROM tier_changes WHERE user_no >= $1 AND user_no < $2
), latest AS (
    SELECT DISTINCT ON (user_no) user_no, to_tier, changed_at FROM changed ORDER BY user_no, change_no DESC
), difference AS (
    SELECT user_no, 'tier' AS what, p.tier || ' since ' || coalesce(p.tier_since::text, 'the beginning') AS found,
           coalesce(l.to_tier, 1) || ' since ' || coalesce(l.changed_at::text, 'the beginning') AS expected
      FROM person p LEFT JOIN latest l USING (user_no)
     WHERE (p.tier, p.tier_since) IS DISTINCT FROM (coalesce(l.to_tier, 1::smallint), l.changed_at)
    UNION ALL
    SELECT user_no, 'change of tier ' || change_no, from_tier || ' to ' || to_tier, before || ' to ' || reached
      FROM changed WHERE from_tier <> before OR to_tier <> reached AND cause <> 'UPGRADE' OR from_tier = to_tier
    UNION ALL
    SELECT c.user_no, 'change of tier ' || change_no, c.cause || ' at ' || c.changed_at,
           coalesce(t.action || ' at ' || t.transaction_time, 'an entry')
      FROM changed c LEFT JOIN reward_transactions t ON t.transaction_id = c.transaction_id AND t.user_no = c.user_no
     WHERE c.transaction_id IS NOT NULL AND (c.cause, c.changed_at) IS DISTINCT FROM (t.action, t.transaction_time)
        OR c.transaction_id IS NULL AND c.cause NOT IN ('REVIEW', 'UPGRADE')
)
SELECT 'tiers_follow_changes' AS name, coalesce(user_id, 'number ' || user_no) AS user_id, what, found, expected
  FROM difference LEFT JOIN person USING (user_no)
