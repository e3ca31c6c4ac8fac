-- The range of user numbers: [low, high), NULL without users.
SELECT min(user_no) AS low, max(user_no) + 1 AS high FROM user_rewards
