-- How often readers have missed events. $1: their names.
SELECT coalesce(sum(gaps), 0)::bigint FROM event_positions WHERE reader = ANY ($1::text[])
