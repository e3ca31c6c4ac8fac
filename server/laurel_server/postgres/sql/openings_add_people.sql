-- Makes those of these people known who are not, without accounts; others stay as they are. Until the transaction ends, others
-- who come with the same ids wait. Who is known takes no number: some badges are for the first users.
-- $1: user ids, sorted, so that two transactions queue, $2: user names, $3: mail addresses, $4: countries, $5: regions,
-- $6: the business time. Result: ids and numbers of the new ones.
-- The shared lock before it is taken alone by a change of the boards (boards_barrier).
WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(hashtext('laurel boards')))
INSERT INTO users (user_id, username, email, country, region, created_at)
SELECT p.user_id, p.username, p.email, p.country, p.region, $6
  FROM held, unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY
         AS p(user_id, username, email, country, region, place)
 WHERE NOT EXISTS (SELECT FROM users u WHERE u.user_id = p.user_id)
 ORDER BY p.place
ON CONFLICT (user_id) DO NOTHING
RETURNING user_id, user_no
