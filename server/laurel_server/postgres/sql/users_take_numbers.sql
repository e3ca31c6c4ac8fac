-- Takes $1 fresh user numbers.
SELECT nextval('user_no_seq') AS user_no FROM generate_series(1, $1::int)
