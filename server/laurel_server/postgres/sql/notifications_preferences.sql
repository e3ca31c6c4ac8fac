-- What users want to be told. $1: their ids. Result: those who are known, with their time zones.
SELECT u.user_id, u.user_no, u.timezone, coalesce(p.muted, '{}') AS muted, p.quiet_from, p.quiet_until, p.paused_until
  FROM users u LEFT JOIN notification_preferences p USING (user_no) WHERE u.user_id = ANY ($1::text[])
