-- Gives people accounts with nothing in them. $1: their numbers.
INSERT INTO user_rewards (user_no) SELECT * FROM unnest($1::bigint[])
