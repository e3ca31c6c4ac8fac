-- Compares lots, debits, deficits, reversals and holds with the entries that they follow from, for the users numbered [$1, $2).
-- Result: one row a difference: check, user_id, what of his (or ''), found and expected as text.
-- Cost: the entries, debits, lots and holds of those users.
--
-- An entry opens a lot (an award, an adjustment that gives), takes from lots exactly what it says (a redemption, an
-- expiration, an adjustment that takes), gives back what another took (a cancelled redemption), or takes what there is and
-- leaves the rest as a deficit (the reversal of an award). What an entry gives fills the deficit first; the rest is the lot.
WITH person AS MATERIALIZED (
    SELECT user_no, user_id, deficit FROM users JOIN user_rewards USING (user_no) WHERE user_no >= $1 AND user_no < $2
), entry AS MATERIALIZED (
    SELECT user_no, transaction_id, transaction_id & ((1::bigint << 48) - 1) AS sequence, action, points, reference_id,
           reverses_transaction_id AS reverses, activates_at, coalesce(expires_at, 'infinity') AS expires_at, transaction_time,
           CASE WHEN inputs ->> 'config' IS NOT NULL OR action = 'MANUAL_ADJUSTMENT' AND points > 0 THEN 'opens'
                WHEN action = 'REVERSAL' AND points > 0 THEN 'restores'
                WHEN action = 'REVERSAL' THEN 'reverses' ELSE 'takes' END AS kind,
           inputs ->> 'hold' AS hold, inputs ->> 'part' AS part
      FROM reward_transactions WHERE user_no >= $1 AND user_no < $2
), debit AS MATERIALIZED (
    SELECT e.user_no, e.kind, d.* FROM entry e JOIN lot_debits d USING (transaction_id)
), moved AS (
    SELECT transaction_id, sum(points) AS points, min(points) < 0 AS gave, max(points) > 0 AS took FROM debit GROUP BY transaction_id
), step AS (
    SELECT e.*, CASE kind WHEN 'opens' THEN -e.points WHEN 'reverses' THEN -e.points - coalesce(m.points, 0) ELSE 0 END AS step
      FROM entry e LEFT JOIN moved m USING (transaction_id)
), walked AS (
    SELECT *, sum(step) OVER (PARTITION BY user_no ORDER BY sequence) AS walked FROM step
), owed AS (  -- the deficit after each entry: it never falls below 0
    SELECT *, walked - least(0, min(walked) OVER (PARTITION BY user_no ORDER BY sequence)) AS deficit FROM walked
), opened AS (
    SELECT *, CASE WHEN kind = 'opens'
                   THEN points - (coalesce(lag(deficit) OVER (PARTITION BY user_no ORDER BY sequence), 0) - deficit) END AS granted
      FROM owed
), owing AS (
    SELECT DISTINCT ON (user_no) user_no, deficit FROM owed ORDER BY user_no, sequence DESC
), taken AS (
    SELECT user_no, lot_id, sum(points) AS points FROM debit GROUP BY user_no, lot_id
), expected AS (
    SELECT user_no, lot_id, activates_at, expires_at, coalesce(granted, 0) - coalesce(t.points, 0) AS remaining
      FROM (SELECT user_no, transaction_id AS lot_id, granted, activates_at, expires_at FROM opened WHERE granted IS NOT NULL) o
      FULL JOIN taken t USING (user_no, lot_id)
), lot AS MATERIALIZED (
    SELECT user_no, lot_id, remaining, activates_at, expires_at FROM lots WHERE user_no >= $1 AND user_no < $2
), undone AS (
    SELECT user_no, reverses AS transaction_id, abs(sum(points)) AS points,
           coalesce((array_agg(part ORDER BY sequence DESC) FILTER (WHERE part IS NOT NULL))[1], '0') AS part
      FROM entry WHERE reverses IS NOT NULL GROUP BY user_no, reverses
), noted AS (
    SELECT e.user_no, r.* FROM entry e JOIN reversals r USING (transaction_id)
), hold AS MATERIALIZED (
    SELECT * FROM holds WHERE user_no >= $1 AND user_no < $2
), captured AS (
    SELECT user_no, hold::bigint AS hold_id, -points AS points, transaction_time FROM entry WHERE hold IS NOT NULL
), difference AS (
    SELECT 'deficits_follow_entries' AS name, user_no, '' AS what, p.deficit::text AS found, coalesce(o.deficit, 0)::text AS expected
      FROM person p LEFT JOIN owing o USING (user_no) WHERE p.deficit <> coalesce(o.deficit, 0)
    UNION ALL
    SELECT 'lots_equal_entries', user_no, 'lot ' || lot_id, coalesce(l.remaining, 0)::text, coalesce(x.remaining, 0)::text
      FROM lot l FULL JOIN expected x USING (user_no, lot_id) WHERE coalesce(l.remaining, 0) <> coalesce(x.remaining, 0)
    UNION ALL
    SELECT 'lots_keep_their_times', user_no, 'lot ' || lot_id, concat_ws(' to ', l.activates_at, l.expires_at),
           concat_ws(' to ', x.activates_at, x.expires_at)
      FROM lot l JOIN expected x USING (user_no, lot_id)
     WHERE x.expires_at IS NOT NULL AND (l.activates_at, l.expires_at) IS DISTINCT FROM (x.activates_at, x.expires_at)
    UNION ALL
    SELECT 'lots_keep_their_times', d.user_no, 'lot ' || d.lot_id || ' in the debit of ' || d.transaction_id,
           concat_ws(' to ', d.activates_at, d.expires_at), concat_ws(' to ', x.activates_at, x.expires_at)
      FROM debit d JOIN expected x USING (user_no, lot_id)
     WHERE x.expires_at IS NOT NULL AND (d.activates_at, d.expires_at) IS DISTINCT FROM (x.activates_at, x.expires_at)
    UNION ALL
    SELECT 'debits_equal_entries', e.user_no, 'entry ' || e.transaction_id, coalesce(m.points, 0)::text,
           (CASE e.kind WHEN 'opens' THEN 0 ELSE -e.points END)::text
      FROM entry e LEFT JOIN moved m USING (transaction_id)
     WHERE CASE e.kind WHEN 'opens' THEN m.transaction_id IS NOT NULL
                       WHEN 'reverses' THEN m.gave OR m.points > -e.points
                       WHEN 'takes' THEN m.gave OR coalesce(m.points, 0) <> -e.points
                       ELSE m.took OR coalesce(m.points, 0) <> -e.points END
    UNION ALL  -- what is given back goes to the lots that it came from
    SELECT 'debits_equal_entries', user_no, 'entry ' || transaction_id || ' to lot ' || lot_id,
           (-coalesce(b.points, 0))::text, coalesce(o.points, 0)::text
      FROM (SELECT user_no, transaction_id, lot_id, points FROM debit WHERE kind = 'restores') b
      FULL JOIN (SELECT e.user_no, e.transaction_id, d.lot_id, d.points
                   FROM entry e JOIN debit d ON d.transaction_id = e.reverses WHERE e.kind = 'restores') o
          USING (user_no, transaction_id, lot_id)
     WHERE coalesce(b.points, 0) <> -coalesce(o.points, 0)
    UNION ALL  -- an expiration empties the lot that it names
    SELECT 'debits_equal_entries', d.user_no, 'entry ' || transaction_id, 'lot ' || d.lot_id, 'lot ' || e.reference_id
      FROM debit d JOIN entry e USING (transaction_id)
     WHERE e.action = 'EXPIRATION' AND d.lot_id::text IS DISTINCT FROM e.reference_id
    UNION ALL
    SELECT 'reversals_equal_entries', user_no, 'entry ' || transaction_id,
           coalesce(n.reversed_points || ' (part ' || n.part || ')', 'nothing'), coalesce(u.points || ' (part ' || u.part || ')', 'nothing')
      FROM noted n FULL JOIN undone u USING (user_no, transaction_id)
     WHERE (n.reversed_points, n.part) IS DISTINCT FROM (u.points, u.part)
    UNION ALL  -- the user of a hold, its capture, and the time at which it ended
    SELECT 'holds_equal_captures', user_no, 'hold ' || hold_id,
           coalesce(h.captured_points || ' at ' || coalesce(h.closed_at::text, '-'), 'no hold'),
           coalesce(c.points || ' at ' || c.transaction_time, 'no capture')
      FROM hold h FULL JOIN captured c USING (user_no, hold_id)
     WHERE CASE WHEN h.state = 2 OR c.hold_id IS NOT NULL
                THEN (h.state, h.captured_points, h.closed_at) IS DISTINCT FROM (2::smallint, c.points, c.transaction_time)
                ELSE h.captured_points <> 0 OR (h.closed_at IS NULL) <> (h.state = 1)
                  OR h.state = 3 AND h.closed_at >= h.expires_at OR h.state = 4 AND h.closed_at < h.expires_at END
)
SELECT name, coalesce(user_id, 'number ' || user_no) AS user_id, what, found, expected
  FROM difference LEFT JOIN person USING (user_no)
