-- The highest number of a user, 0 if there is none. Cost: one look-up.
SELECT coalesce(max(user_no), 0) FROM users
