-- The number that the next user would get; it is not taken.
SELECT last_value + is_called::int FROM user_no_seq
