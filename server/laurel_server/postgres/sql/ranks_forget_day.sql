-- Drops what was taken of a period on a day, to take it anew. $1: period, $2: scopes, $3: the day.
DELETE FROM rank_history WHERE scope = ANY ($2::text[]) AND period_id = $1 AND taken_on = $3
