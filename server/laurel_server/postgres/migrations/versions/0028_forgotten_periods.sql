-- Periods of boards that are gone: hidden with the board, and cleared away after it, some at a time.

-- Periods of the configured boards. Whoever deletes a board takes one row out of `boards`: in the same moment nobody sees, closes
-- or fills a period of it any more, however many there are. A points board has the periods of its scope and type, and
-- a family such as country:* those that no board has for itself.
-- Cost on top of that of the table: the boards once, and three look-ups among them a row.
CREATE VIEW board_periods AS
SELECT * FROM leaderboard_periods p
 WHERE p.board_no IN (SELECT board_no FROM boards)
    OR p.board_no IS NULL AND (
           (p.scope, p.period_type) IN (SELECT scope, period_type FROM boards WHERE kind = 1)
        OR (split_part(p.scope, ':', 1) || ':*', p.period_type) IN (SELECT scope, period_type FROM boards WHERE kind = 1));

-- Periods of no board. What hangs on them is deleted first and they last, so that each of them says that there is something left.
CREATE VIEW forgotten_periods AS
SELECT * FROM leaderboard_periods p
 WHERE NOT EXISTS (SELECT FROM board_periods b WHERE b.scope = p.scope AND b.period_id = p.period_id);

-- Whose forgotten periods go with what is left of a board: those of its scope (a family's of all its members) and type.
-- NULL: none, only keys do.
ALTER TABLE board_remains ADD COLUMN scope text, ADD COLUMN period_type smallint;

-- Archived periods of points boards that were deleted before this migration.
INSERT INTO board_remains (board_no, slots, instances, scope, period_type)
SELECT coalesce(board_no, 0), 1, '[]', scope, period_type FROM (SELECT DISTINCT board_no, scope, period_type FROM forgotten_periods) f;
