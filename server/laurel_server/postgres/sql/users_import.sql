-- Creates those of these people who are not known yet, with empty accounts; others stay as they are and take no number.
-- $1: user ids, $2: user names, $3: mail addresses, $4: countries, $5: regions, $6: the business time. Result: how many are new.
WITH new_user AS (
    INSERT INTO users (user_id, username, email, country, region, created_at)
    SELECT p.user_id, p.username, p.email, p.country, p.region, $6
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS p(user_id, username, email, country, region)
     WHERE NOT EXISTS (SELECT FROM users u WHERE u.user_id = p.user_id)
    ON CONFLICT (user_id) DO NOTHING
    RETURNING user_no
), opened AS (
    INSERT INTO user_rewards (user_no) SELECT user_no FROM new_user RETURNING 1
)
SELECT count(*) FROM opened
