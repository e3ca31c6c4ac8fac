-- What users were awarded by an action, but for what Laurel itself granted: the points since one moment, and the latest time.
-- $1: action, $2: awards since this moment, $3: points since this one, $4: in batches after this number, $5: up to and
-- including this one, $6, $7: the first and the last month of their ids (since 1970-01).
-- Result: user_no, points, last_at. Cost: all entries of those batches.
SELECT t.user_no, coalesce(sum(t.points) FILTER (WHERE t.transaction_time >= $3), 0)::bigint AS points,
       max(t.transaction_time) AS last_at
  FROM generate_series($6::bigint, $7::bigint) AS m(month) JOIN reward_transactions t
    ON t.transaction_id > (m.month << 48 | ($4::bigint << 10 | 1023)) AND t.transaction_id <= (m.month << 48 | ($5::bigint << 10 | 1023))
 WHERE t.action = $1 AND t.transaction_time >= $2 AND t.inputs ->> 'config' IS NOT NULL AND t.inputs ->> 'granted' IS NULL
 GROUP BY t.user_no
