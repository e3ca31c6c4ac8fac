-- Sets who sees a user. His hot row is locked. $1: user number, $2: visibility.
UPDATE users SET visibility = $2 WHERE user_no = $1
