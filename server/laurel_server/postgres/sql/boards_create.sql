-- Adds a board and gives it its number. $1-$15: its columns but the number. A unique violation: the id, or the scope and
-- period, are taken.
INSERT INTO boards (board_id, display_name, kind, scope, period_type, reset_cron, operator, sort_order, tie_policy,
                    max_entries, winner_bonuses, min_score, max_score, is_filled, slots)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::text::jsonb, $12, $13, $14, $15)
