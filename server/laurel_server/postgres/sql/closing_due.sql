-- The ends of periods that are not completed, oldest first. $1: ended at or before this moment.
-- Cost: an index range of all periods; some thousands a year.
SELECT DISTINCT ends_at FROM board_periods WHERE state < 3 AND ends_at <= $1 ORDER BY ends_at
