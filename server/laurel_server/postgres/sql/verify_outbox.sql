-- Compares the outbox with the entries of its batches. $1: after this batch, $2: how many batches.
-- Batches whose row was removed for its age are left out: rows go oldest first, so a batch without one is wrong if it is the
-- first of the ledger or well behind the oldest row that is there.
-- Result: the last batch looked at (NULL: none is left), how many, what differs in words. Cost: those batches and their entries.
WITH bound AS (
    SELECT CASE WHEN oldest <= (SELECT min(batch_no) FROM ledger_batches) THEN 0 ELSE oldest + 1000 END AS complete_after
      FROM (SELECT min(batch_no) AS oldest FROM outbox WHERE projected) o  -- others are kept however old they are
), part AS MATERIALIZED (
    SELECT b.batch_no, b.month, o.batch_no IS NOT NULL AS is_kept, o.user_nos, o.events
      FROM (SELECT batch_no, month FROM ledger_batches WHERE batch_no > $1 ORDER BY batch_no LIMIT $2) b
      LEFT JOIN outbox o USING (batch_no)
), entry AS (
    SELECT p.batch_no, t.transaction_id, t.points, t.user_no = ANY (p.user_nos) AS is_named
      FROM part p JOIN reward_transactions t
        ON t.transaction_id >= (p.month::bigint << 48 | (p.batch_no << 10)) AND t.transaction_id <= (p.month::bigint << 48 | (p.batch_no << 10) | 1023)
     WHERE p.is_kept
), event AS (
    SELECT p.batch_no, (e ->> 'transaction_id')::bigint AS transaction_id, (e ->> 'points')::bigint AS points
      FROM part p CROSS JOIN LATERAL json_array_elements(p.events) e
     WHERE p.is_kept AND e ->> 'type' IN ('rewards.earned', 'rewards.changed')
), difference AS (
    SELECT batch_no, 'batch ' || batch_no || ': its row is gone' AS what
      FROM part, bound WHERE NOT is_kept AND batch_no > complete_after
    UNION ALL
    SELECT batch_no, 'batch ' || batch_no || ': tells of ' || coalesce(e.points::text, 'no') || ' points in entry ' || transaction_id
                     || ' instead of ' || coalesce(t.points::text, 'none')
      FROM entry t FULL JOIN event e USING (batch_no, transaction_id) WHERE t.points IS DISTINCT FROM e.points
    UNION ALL
    SELECT batch_no, 'batch ' || batch_no || ': does not name the user of entry ' || transaction_id FROM entry WHERE NOT is_named
)
SELECT (SELECT max(batch_no) FROM part) AS last, (SELECT count(*) FROM part) AS rows,
       coalesce((SELECT array_agg(what ORDER BY batch_no) FROM difference), '{}') AS strays
