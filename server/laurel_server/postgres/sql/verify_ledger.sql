-- Compares what must be equal for the users numbered [$1, $2).
-- Result: one row a difference: check, user_id (or number), found and expected. Cost: the entries, lots and holds of those users.
WITH person AS MATERIALIZED (
    SELECT user_no, user_id, balance, deficit, lifetime_points, redeemed_points, expired_points, held_points
      FROM users JOIN user_rewards USING (user_no) WHERE user_no >= $1 AND user_no < $2
), entry AS MATERIALIZED (
    SELECT user_no, transaction_id, points, balance_after,
           CASE WHEN inputs ->> 'config' IS NULL THEN coalesce((inputs ->> 'lifetime')::bigint, 0) ELSE points END AS lifetime,
           coalesce((inputs ->> 'redeemed')::bigint, 0) AS redeemed, coalesce((inputs ->> 'expired')::bigint, 0) AS expired,
           inputs
      FROM reward_transactions WHERE user_no >= $1 AND user_no < $2
), entered AS (
    SELECT user_no, sum(points) AS points, sum(lifetime) AS lifetime, sum(redeemed) AS redeemed, sum(expired) AS expired
      FROM entry GROUP BY user_no
), followed AS (
    SELECT user_no, balance_after,
           sum(points) OVER (PARTITION BY user_no ORDER BY transaction_id & ((1::bigint << 48) - 1)) AS expected
      FROM entry
), lot AS MATERIALIZED (
    SELECT user_no, lot_id, remaining FROM lots WHERE user_no >= $1 AND user_no < $2
), opened AS (
    SELECT user_no, sum(remaining) AS remaining FROM lot GROUP BY user_no
), taken AS (
    SELECT d.lot_id, sum(d.points) AS points FROM entry e JOIN lot_debits d USING (transaction_id) GROUP BY d.lot_id
), held AS (
    SELECT user_no, sum(points) AS points FROM holds WHERE state = 1 AND user_no >= $1 AND user_no < $2 GROUP BY user_no
), counted AS (
    SELECT user_no, p.period_id, sum(points) AS points
      FROM entry CROSS JOIN LATERAL json_array_elements_text(inputs -> 'periods') AS p(period_id)
     GROUP BY user_no, p.period_id HAVING sum(points) <> 0
), stood AS (
    SELECT user_no, period_id, score FROM standings WHERE user_no >= $1 AND user_no < $2
)
SELECT 'entries_have_users' AS name, 'number ' || user_no AS user_id, coalesce(points, remaining)::bigint AS found, 0 AS expected
  FROM entered FULL JOIN opened USING (user_no) LEFT JOIN person USING (user_no) WHERE person.user_no IS NULL
UNION ALL
SELECT 'balances_equal_entries', user_id, balance, coalesce(points, 0)
  FROM person LEFT JOIN entered USING (user_no) WHERE balance <> coalesce(points, 0)
UNION ALL
SELECT 'balances_follow_one_another', user_id, balance_after, expected
  FROM followed JOIN person USING (user_no) WHERE balance_after <> expected
UNION ALL
SELECT 'balances_equal_lots', user_id, balance, coalesce(remaining, 0) - deficit
  FROM person LEFT JOIN opened USING (user_no) WHERE balance <> coalesce(remaining, 0) - deficit
UNION ALL
-- Points that filled a deficit were never in a lot, so a lot may have less than its entry leaves, and never more.
SELECT 'lots_equal_entries', user_id, lot.remaining, coalesce(e.points, 0) - coalesce(taken.points, 0)
  FROM lot JOIN person USING (user_no) LEFT JOIN entry e ON e.transaction_id = lot.lot_id AND e.user_no = lot.user_no
  LEFT JOIN taken ON taken.lot_id = lot.lot_id
 WHERE lot.remaining > coalesce(e.points, 0) - coalesce(taken.points, 0)
UNION ALL
SELECT 'counters_equal_entries', user_id, c.found, c.expected
  FROM person LEFT JOIN entered USING (user_no)
 CROSS JOIN LATERAL (VALUES (lifetime_points, coalesce(lifetime, 0)), (redeemed_points, coalesce(redeemed, 0)),
                            (expired_points, coalesce(expired, 0))) AS c(found, expected)
 WHERE c.found <> c.expected
UNION ALL
SELECT 'holds_equal_held_points', user_id, held_points, coalesce(points, 0)
  FROM person LEFT JOIN held USING (user_no) WHERE held_points <> coalesce(points, 0)
UNION ALL
SELECT 'totals_equal_entries', user_id, coalesce(score, 0), coalesce(points, 0)
  FROM counted FULL JOIN stood USING (user_no, period_id) JOIN person USING (user_no)
 WHERE coalesce(score, 0) <> coalesce(points, 0)
