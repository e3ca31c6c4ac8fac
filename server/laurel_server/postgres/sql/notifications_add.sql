-- Keeps notifications; one that is there already stays as it is. One element a notification: $1: ids, $2: users, $3: kinds,
-- $4: messages, $5: data as JSON, $6: when made, $7: when due, $8: numbers of the users. Result: how many were new.
WITH added AS (
    INSERT INTO notifications (notification_id, user_id, kind, message, data, created_at, due_at, user_no)
    SELECT id, user_id, kind, message, data::jsonb, created_at, due_at, user_no
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[],
                  $8::bigint[]) AS n(id, user_id, kind, message, data, created_at, due_at, user_no)
    ON CONFLICT DO NOTHING RETURNING 1)
SELECT count(*) FROM added
