-- Drops what was taken of a period on some days, to take it anew. $1: period, $2: scopes, $3: the days.
DELETE FROM rank_history WHERE scope = ANY ($2::text[]) AND period_id = $1 AND taken_on = ANY ($3::date[])
