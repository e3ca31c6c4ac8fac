-- Keeps what a user wants to be told. $1: user, $2: muted kinds, $3 and $4: quiet from and until, $5: paused until.
-- Result: nothing for an unknown user.
INSERT INTO notification_preferences (user_no, muted, quiet_from, quiet_until, paused_until)
SELECT user_no, $2, $3, $4, $5 FROM users WHERE user_id = $1
ON CONFLICT (user_no) DO UPDATE
   SET muted = excluded.muted, quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until,
       paused_until = excluded.paused_until
RETURNING user_no
