-- The months of which there are entries. Cost: an index look-up for each.
WITH RECURSIVE found AS (
    SELECT min(transaction_id) >> 48 AS month FROM reward_transactions
    UNION ALL
    SELECT (SELECT min(transaction_id) >> 48 FROM reward_transactions WHERE transaction_id >= (month + 1) << 48)
      FROM found WHERE month IS NOT NULL
)
SELECT month FROM found WHERE month IS NOT NULL ORDER BY month
