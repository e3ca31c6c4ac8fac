-- What is left of boards that were deleted, or are laid out otherwise, until somebody has cleared it away: whoever begins
-- that may die half-way.
CREATE TABLE board_remains (
    remains_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    board_no   bigint NOT NULL,  -- if that board is gone, its scores go
    slots      smallint NOT NULL,
    instances  json NOT NULL,  -- [[scope, period id], ...]: whose keys over so many slots Redis may have
    noted_at   timestamptz NOT NULL DEFAULT now()
);

-- Scores of boards that were deleted by a server which died before it had deleted them all.
INSERT INTO board_remains (board_no, slots, instances)
SELECT board_no, 1, '[]' FROM (SELECT DISTINCT board_no FROM scores) s WHERE NOT EXISTS (SELECT FROM boards b WHERE b.board_no = s.board_no);
