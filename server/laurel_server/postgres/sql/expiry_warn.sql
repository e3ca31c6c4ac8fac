-- Warns the next users by number whose points expire soon: notes it and writes the notifications, in one statement.
-- $1: after this number, $2: the business time, $3: how many users, $4: days before the expiry at which to warn.
-- A lot is warned of once for each of the days, and only for the nearest one that has come.
-- Result: the last number that was looked at (NULL: nobody is left) and how many notifications were written.
-- Cost: a scan of the users' hot rows up to the last one, and the lots of those users that expire soon.
WITH person AS (
    SELECT user_no, user_id FROM user_rewards JOIN users USING (user_no)
     WHERE user_no > $1 AND users.user_no > $1 AND erased_at IS NULL
       AND next_expiry <= $2::timestamptz + make_interval(days => (SELECT max(d) FROM unnest($4::int[]) d))
     ORDER BY user_no LIMIT $3
), due AS (
    SELECT p.user_no, p.user_id, l.lot_id, l.remaining, l.expires_at,
           (SELECT min(d) FROM unnest($4::int[]) d WHERE l.expires_at <= $2::timestamptz + make_interval(days => d)) AS days_before
      FROM person p JOIN lots l USING (user_no)
     WHERE l.expires_at > $2::timestamptz AND l.expires_at <= $2::timestamptz + make_interval(days => (SELECT max(d) FROM unnest($4::int[]) d))
), noted AS (
    INSERT INTO expiry_warnings (lot_id, days_before)
    SELECT lot_id, days_before FROM due
     WHERE NOT EXISTS (SELECT 1 FROM expiry_warnings w WHERE w.lot_id = due.lot_id AND w.days_before <= due.days_before)
    ON CONFLICT DO NOTHING RETURNING lot_id, days_before
), notification AS (
    SELECT user_no, user_id, days_before, sum(remaining)::bigint AS points, min(expires_at) AS expires_at
      FROM noted JOIN due USING (lot_id, days_before) GROUP BY user_no, user_id, days_before
), announced AS (
    INSERT INTO outbox (batch_no, projected, user_nos, events)
    SELECT nextval('ledger_batch_seq'), true, '{}',
           json_agg(json_build_object('type', 'points.expiring', 'user_id', user_id, 'user_no', user_no, 'points', points, 'days_before', days_before,
                                      'expires_at', expires_at, 'recorded_at', $2) ORDER BY user_id, days_before)
      FROM notification HAVING count(*) > 0
)
SELECT (SELECT max(user_no) FROM person) AS last_user_no, (SELECT count(*) FROM notification) AS notifications
