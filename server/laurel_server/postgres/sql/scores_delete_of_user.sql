-- Deletes all that a user has on score boards; his hot row is locked. $1: user number.
DELETE FROM scores WHERE user_no = $1
