-- Replaces what can be changed of a board. $1-$15 as in boards_create.
UPDATE boards
   SET display_name = $2, kind = $3, scope = $4, period_type = $5, reset_cron = $6, operator = $7, sort_order = $8,
       tie_policy = $9, max_entries = $10, winner_bonuses = $11::text::jsonb, min_score = $12, max_score = $13, is_filled = $14, slots = $15
 WHERE board_id = $1
