-- Notifications to be sent, the longest due first. $1: the time, $2: how many at most.
SELECT notification_id, user_id, kind, message, data::text AS data, created_at, attempts, taken_by, user_no FROM notifications
 WHERE state = 1 AND due_at <= $1 ORDER BY due_at LIMIT $2
