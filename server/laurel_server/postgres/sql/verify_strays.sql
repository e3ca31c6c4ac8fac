-- The next debits and reversals in order of the entries that they belong to, and those that belong to none.
-- $1: after this entry, $2: how many. Result: the last entry looked at (NULL: none is left), how many rows, strays.
-- Cost: those rows, an index look-up each.
WITH part AS (
    (SELECT transaction_id, 'the debit of' AS kind FROM lot_debits WHERE transaction_id > $1 ORDER BY transaction_id LIMIT $2)
    UNION ALL
    (SELECT transaction_id, 'the reversal of' FROM reversals WHERE transaction_id > $1 ORDER BY transaction_id LIMIT $2)
), next AS (
    SELECT * FROM part ORDER BY transaction_id LIMIT $2
)
SELECT max(transaction_id) AS last, count(*) AS rows,
       coalesce(array_agg(kind || ' ' || transaction_id) FILTER (
           WHERE NOT EXISTS (SELECT FROM reward_transactions t WHERE t.transaction_id = next.transaction_id)), '{}') AS strays
  FROM next
