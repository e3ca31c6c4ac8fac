-- Has notifications wait until other moments, or deletes them. One element a notification: $1: ids, $2: when due (NULL: never).
WITH others AS MATERIALIZED (
    SELECT id, due_at FROM unnest($1::text[], $2::timestamptz[]) AS o(id, due_at)
), unwanted AS (
    DELETE FROM notifications n USING others o WHERE n.notification_id = o.id AND o.due_at IS NULL
)
UPDATE notifications n SET due_at = o.due_at FROM others o WHERE n.notification_id = o.id AND o.due_at IS NOT NULL
