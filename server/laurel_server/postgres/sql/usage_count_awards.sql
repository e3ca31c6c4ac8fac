-- How many awards of an action users have had, without what Laurel itself granted: as kept or, where nobody has counted yet, from the ledger.
-- $1: user numbers, $2: actions; one pair an element. Cost: one index look-up a pair; the first time the user's entries.
SELECT p.user_no, p.action,
       coalesce(u.awards, (SELECT count(*) FROM reward_transactions t
                            WHERE t.user_no = p.user_no AND t.action = p.action
                              AND t.inputs ->> 'granted' IS NULL)) AS awards
  FROM unnest($1::bigint[], $2::text[]) AS p(user_no, action) LEFT JOIN action_usage u USING (user_no, action)
