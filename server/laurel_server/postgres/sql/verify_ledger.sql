-- Compares what must be equal for the users numbered [$1, $2): balances with entries, balances with lots, and the totals of
-- periods with the entries that say they count in them.
-- Result: one row a difference: check, user_id, found and expected. Cost: the entries and lots of those users.
WITH person AS (
    SELECT user_no, user_id, balance, deficit, lifetime_points FROM users JOIN user_rewards USING (user_no)
     WHERE user_no >= $1 AND user_no < $2
), entered AS (
    SELECT user_no, sum(points) AS points, sum(points) FILTER (WHERE points > 0) AS earned
      FROM reward_transactions WHERE user_no >= $1 AND user_no < $2 GROUP BY user_no
), opened AS (
    SELECT user_no, sum(remaining) AS remaining FROM lots WHERE user_no >= $1 AND user_no < $2 GROUP BY user_no
), counted AS (
    SELECT t.user_no, p.period_id, sum(t.points) AS points
      FROM reward_transactions t CROSS JOIN LATERAL json_array_elements_text(t.inputs -> 'periods') AS p(period_id)
     WHERE t.user_no >= $1 AND t.user_no < $2 GROUP BY t.user_no, p.period_id HAVING sum(t.points) <> 0
), stood AS (
    SELECT user_no, period_id, score FROM standings WHERE user_no >= $1 AND user_no < $2
)
SELECT 'balances_equal_entries' AS name, user_id, balance AS found, coalesce(points, 0) AS expected
  FROM person LEFT JOIN entered USING (user_no) WHERE balance <> coalesce(points, 0)
UNION ALL
SELECT 'balances_equal_lots', user_id, balance, coalesce(remaining, 0) - deficit
  FROM person LEFT JOIN opened USING (user_no) WHERE balance <> coalesce(remaining, 0) - deficit
UNION ALL
SELECT 'totals_equal_entries', user_id, coalesce(score, 0), coalesce(points, 0)
  FROM counted FULL JOIN stood USING (user_no, period_id) JOIN person USING (user_no)
 WHERE coalesce(score, 0) <> coalesce(points, 0)
