-- Tells no more of days before one. $1: that day. Cost: all days of boards.
DELETE FROM rank_days WHERE taken_on < $1
