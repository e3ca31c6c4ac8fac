-- Periods that are over are closing. $1: now. Cost: an index range.
UPDATE board_periods SET state = 2 WHERE state = 1 AND ends_at <= $1
