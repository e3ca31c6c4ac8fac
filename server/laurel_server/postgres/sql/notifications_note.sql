-- Notes how attempts to send went. One element a notification: $1: ids, $2: states, $3: when due again, $4: errors,
-- $5: the names of those who have taken it, with commas between.
UPDATE notifications n SET state = a.state, due_at = a.due_at, error = a.error, attempts = n.attempts + 1,
       taken_by = string_to_array(a.taken_by, ',')
  FROM unnest($1::text[], $2::smallint[], $3::timestamptz[], $4::text[], $5::text[]) AS a(id, state, due_at, error, taken_by)
 WHERE n.notification_id = a.id
