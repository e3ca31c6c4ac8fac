-- The range of user numbers that occur anywhere: [low, high), and how many users there are. Cost: index look-ups, one count.
SELECT coalesce(min(low), 0)::bigint, coalesce(max(high) + 1, 0)::bigint, (SELECT count(*) FROM users)
  FROM (SELECT min(user_no) AS low, max(user_no) AS high FROM users
        UNION ALL SELECT min(user_no), max(user_no) FROM reward_transactions
        UNION ALL SELECT min(user_no), max(user_no) FROM lots
        UNION ALL SELECT min(user_no), max(user_no) FROM holds
        UNION ALL SELECT min(user_no), max(user_no) FROM tier_changes) known
