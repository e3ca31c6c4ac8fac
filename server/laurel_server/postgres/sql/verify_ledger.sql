-- Compares accounts with the entries that they follow from, for the users numbered [$1, $2).
-- Result: one row a difference: check, user_id (or number), what of his (or ''), found and expected as text.
-- Cost: the entries and lots of those users, and an index look-up for each period that is over.
WITH RECURSIVE person AS MATERIALIZED (
    SELECT u.user_no, u.user_id, r.balance, r.deficit, r.lifetime_points, r.redeemed_points, r.expired_points, r.held_points,
           r.next_expiry, r.pending_until, r.last_reward_at, r.version, r.open_totals, r.user_no IS NOT NULL AS has_account
      FROM users u LEFT JOIN user_rewards r USING (user_no) WHERE u.user_no >= $1 AND u.user_no < $2
), entry AS MATERIALIZED (
    SELECT user_no, transaction_id & ((1::bigint << 48) - 1) AS sequence, points, balance_after, transaction_time,
           inputs ->> 'config' IS NOT NULL AS is_award,
           CASE WHEN inputs ->> 'config' IS NULL THEN coalesce((inputs ->> 'lifetime')::bigint, 0) ELSE points END AS lifetime,
           coalesce((inputs ->> 'redeemed')::bigint, 0) AS redeemed, coalesce((inputs ->> 'expired')::bigint, 0) AS expired,
           inputs
      FROM reward_transactions WHERE user_no >= $1 AND user_no < $2
), entered AS (
    SELECT user_no, sum(points) AS points, sum(lifetime) AS lifetime, sum(redeemed) AS redeemed, sum(expired) AS expired,
           max(sequence) AS sequence,
           (array_agg(transaction_time ORDER BY sequence DESC) FILTER (WHERE is_award))[1] AS last_reward_at
      FROM entry GROUP BY user_no
), followed AS (
    SELECT user_no, sequence, balance_after, sum(points) OVER (PARTITION BY user_no ORDER BY sequence) AS expected FROM entry
), opened AS (
    SELECT user_no, sum(remaining) AS remaining, min(expires_at) AS expiry, max(activates_at) AS pending
      FROM lots WHERE user_no >= $1 AND user_no < $2 GROUP BY user_no
), held AS (
    SELECT user_no, sum(points) AS points FROM holds WHERE state = 1 AND user_no >= $1 AND user_no < $2 GROUP BY user_no
), counted AS (
    SELECT user_no, p.period_id, sum(points) AS points, max(sequence) FILTER (WHERE points <> 0) AS reached
      FROM entry CROSS JOIN LATERAL json_array_elements_text(inputs -> 'periods') AS p(period_id)
     GROUP BY user_no, p.period_id HAVING sum(points) <> 0
), past (period_id) AS (
    (SELECT period_id FROM period_totals ORDER BY period_id LIMIT 1)
    UNION ALL
    SELECT (SELECT p.period_id FROM period_totals p WHERE p.period_id > past.period_id ORDER BY p.period_id LIMIT 1)
      FROM past WHERE past.period_id IS NOT NULL
), stood AS (
    SELECT user_no, t.key AS period_id, (t.value ->> 0)::bigint AS score, (t.value ->> 1)::bigint AS reached
      FROM person CROSS JOIN LATERAL jsonb_each(open_totals) t
    UNION ALL
    SELECT t.user_no, t.period_id, t.score, t.reached
      FROM past CROSS JOIN LATERAL (SELECT * FROM period_totals p
                                     WHERE p.period_id = past.period_id AND p.user_no >= $1 AND p.user_no < $2) t
), difference AS (
    SELECT 'entries_have_users' AS name, user_no, '' AS what, coalesce(points, remaining)::text AS found, '0' AS expected
      FROM entered FULL JOIN opened USING (user_no) LEFT JOIN person USING (user_no) WHERE person.user_no IS NULL
    UNION ALL
    SELECT 'entries_have_users', user_no, 'account', 'none', 'one' FROM person WHERE NOT has_account
    UNION ALL
    SELECT 'balances_equal_entries', user_no, '', balance::text, coalesce(points, 0)::text
      FROM person LEFT JOIN entered USING (user_no) WHERE balance <> coalesce(points, 0)
    UNION ALL
    SELECT 'balances_follow_one_another', user_no, '', balance_after::text, expected::text
      FROM followed WHERE balance_after <> expected
    UNION ALL
    SELECT 'balances_equal_lots', user_no, '', balance::text, (coalesce(remaining, 0) - deficit)::text
      FROM person LEFT JOIN opened USING (user_no) WHERE balance <> coalesce(remaining, 0) - deficit
    UNION ALL
    SELECT 'counters_equal_entries', user_no, c.what, c.found, c.expected
      FROM person LEFT JOIN entered USING (user_no)
     CROSS JOIN LATERAL (VALUES ('lifetime points', lifetime_points::text, coalesce(lifetime, 0)::text),
                                ('redeemed points', redeemed_points::text, coalesce(redeemed, 0)::text),
                                ('expired points', expired_points::text, coalesce(expired, 0)::text),
                                ('last reward', coalesce(person.last_reward_at::text, 'never'),
                                 coalesce(entered.last_reward_at::text, 'never'))) AS c(what, found, expected)
     WHERE has_account AND c.found <> c.expected
    UNION ALL
    SELECT 'versions_cover_entries', user_no, 'version', version::text, sequence::text || ' or more'
      FROM person JOIN entered USING (user_no) WHERE version < sequence
    UNION ALL  -- accounts know when their lots must be looked at: too early costs a look, too late spends what is not there
    SELECT 'times_cover_lots', user_no, c.what, c.found, c.expected
      FROM person JOIN opened USING (user_no)
     CROSS JOIN LATERAL (VALUES ('next expiry', coalesce(next_expiry::text, 'none'), expiry::text || ' or before',
                                 coalesce(next_expiry, 'infinity') > expiry),
                                ('pending until', coalesce(pending_until::text, 'none'), pending::text || ' or later',
                                 coalesce(pending_until, '-infinity') < pending)) AS c(what, found, expected, is_late)
     WHERE has_account AND is_late
    UNION ALL
    SELECT 'holds_equal_held_points', user_no, '', held_points::text, coalesce(points, 0)::text
      FROM person LEFT JOIN held USING (user_no) WHERE held_points <> coalesce(points, 0)
    UNION ALL
    SELECT 'totals_equal_entries', user_no, period_id, coalesce(s.score, 0) || ' since ' || coalesce(s.reached, 0),
           coalesce(c.points, 0) || ' since ' || coalesce(c.reached, 0)
      FROM counted c FULL JOIN stood s USING (user_no, period_id) JOIN person USING (user_no)
     WHERE coalesce(s.score, 0) <> coalesce(c.points, 0) OR coalesce(c.points, 0) <> 0 AND s.reached <> c.reached
)
SELECT name, coalesce(user_id, 'number ' || user_no) AS user_id, what, found, expected
  FROM difference LEFT JOIN person USING (user_no)
