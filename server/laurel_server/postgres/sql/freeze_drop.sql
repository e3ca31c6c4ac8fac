-- Takes the totals of periods $2 out of the hot rows of users $1, which are locked: they are kept in period_totals now.
UPDATE user_rewards SET open_totals = open_totals - $2::text[] WHERE user_no = ANY ($1::bigint[])
