-- Creates users known only by id, with empty accounts. A unique violation means that another server was faster.
-- $1: user numbers, $2: user ids, $3: the business time.
WITH new_user AS (
    INSERT INTO users (user_no, user_id, created_at)
    SELECT n.user_no, n.user_id, $3 FROM unnest($1::bigint[], $2::text[]) AS n(user_no, user_id)
    RETURNING user_no
)
INSERT INTO user_rewards (user_no) SELECT user_no FROM new_user
