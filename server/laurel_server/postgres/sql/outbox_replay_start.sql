-- After which batch number to replay when the boards may hold nothing newer than batch $1.
-- Numbers are drawn before COMMIT, so a batch below $1 may have come to the boards after it; none takes 15 s, as statements
-- and idle transactions are ended before. Cost: an index range of some seconds of traffic, 20,000 rows at most.
SELECT coalesce(min(batch_no) - 1, $1::bigint) FROM outbox
 WHERE batch_no > $1::bigint - 20000 AND batch_no <= $1::bigint
   AND created_at > (SELECT created_at FROM outbox WHERE batch_no <= $1::bigint ORDER BY batch_no DESC LIMIT 1) - interval '15 s'
