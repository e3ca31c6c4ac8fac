-- Leaves nothing of a person but his number, which his entries carry. His hot row is locked. $1: user number, $2: the time.
UPDATE users
   SET user_id = '~' || user_no, username = '', email = '', avatar_url = '', country = '', region = '', timezone = '',
       segments = '{}', birth_date = NULL, visibility = 2, erased_at = $2
 WHERE user_no = $1
