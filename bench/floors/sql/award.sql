-- One award as a conventional service makes it, for pgbench. Input: people. Cost: four round trips and a flush.
\set user_id random(0, :people - 1)
\set points random(1, 20)
\set request random(1, 9000000000000000000)
BEGIN;
INSERT INTO bench.entries (request_id, user_id, action, points) VALUES (concat('order-', :request::bigint), :user_id, 'PURCHASE', :points);
UPDATE bench.balances SET balance = balance + :points, lifetime_points = lifetime_points + :points, updated_at = now() WHERE user_id = :user_id;
INSERT INTO bench.outbox (topic, payload) VALUES ('rewards.earned', jsonb_build_object('user_id', :user_id::bigint, 'points', :points::bigint));
COMMIT;
