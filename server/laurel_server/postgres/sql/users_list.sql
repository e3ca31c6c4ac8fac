-- A page of people by id, with what the ledger adds to them. $1: after this id, $2: how many; then what must hold, NULL: any.
-- Ranges of texts are given by their bounds, the lower one included: $3, $4 of the id, $5, $6 of the name and $7, $8 of the
-- mail address, both in lower case. $9: country, $10: region, $11: segment, $12: tier, $13: visibility.
-- Cost: the page when nothing or the id is asked for, those of the name or the address; otherwise up to all users.
SELECT u.*, r.tier, r.last_reward_at FROM users u JOIN user_rewards r USING (user_no)
 WHERE u.erased_at IS NULL AND u.user_id COLLATE "C" > $1
   AND ($3::text IS NULL OR u.user_id COLLATE "C" >= $3 AND u.user_id COLLATE "C" < $4)
   AND ($5::text IS NULL OR u.username <> '' AND lower(u.username) COLLATE "C" >= $5 AND lower(u.username) COLLATE "C" < $6)
   AND ($7::text IS NULL OR u.email <> '' AND lower(u.email) COLLATE "C" >= $7 AND lower(u.email) COLLATE "C" < $8)
   AND ($9::text IS NULL OR u.country = $9)
   AND ($10::text IS NULL OR u.region = $10)
   AND ($11::text IS NULL OR $11 = ANY (u.segments))
   AND ($12::smallint IS NULL OR r.tier = $12)
   AND ($13::smallint IS NULL OR u.visibility = $13)
 ORDER BY u.user_id COLLATE "C" LIMIT $2
