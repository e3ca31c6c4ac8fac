-- Whether a new board would have periods of one that is gone. $1: its scope (`country:*` for a family), $2: its period type.
-- Cost: all rows of that type, and the boards.
SELECT EXISTS (SELECT FROM forgotten_periods
                WHERE period_type = $2 AND (scope = $1 OR split_part(scope, ':', 1) || ':*' = $1))
