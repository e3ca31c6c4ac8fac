-- Score boards that reset go through the same states as points boards: their periods are rows of one table.

-- board_no: of a score board, NULL for points boards. Periods that were over before this migration are closed by the next run.
ALTER TABLE leaderboard_periods ADD COLUMN board_no bigint;
INSERT INTO leaderboard_periods (scope, period_id, period_type, starts_at, ends_at, board_no)
SELECT b.board_id, p.period_id, 6, p.starts_at, p.ends_at, p.board_no FROM score_periods p JOIN boards b USING (board_no);
DROP TABLE score_periods;
CREATE UNIQUE INDEX leaderboard_periods_by_board ON leaderboard_periods (board_no, period_id) WHERE board_no IS NOT NULL;

-- NULL while the period runs: then the user's visibility decides whether he takes a position. Set for ever when it is frozen.
ALTER TABLE scores ADD COLUMN listed boolean;

-- Everybody who takes a position on a score board.
CREATE VIEW score_standings AS
SELECT p.scope, p.period_id, s.user_no, s.score, s.sub_score, s.reached
  FROM leaderboard_periods p JOIN scores s ON s.board_no = p.board_no AND s.period_id = p.period_id
  JOIN users u USING (user_no)
 WHERE coalesce(s.listed, u.visibility = 1);

-- Everybody who takes a position on a board whose period is frozen.
CREATE VIEW final_standings AS
SELECT s.scope, t.period_id, t.user_no, t.score, 0::bigint AS sub_score, t.reached
  FROM period_totals t CROSS JOIN LATERAL unnest(t.scopes) AS s(scope)
 WHERE t.score > 0
UNION ALL
SELECT scope, period_id, user_no, score, sub_score, reached FROM score_standings;

-- The next winners to pay are read without sorting all that are left, who may be a hundred thousand equals.
DROP INDEX period_winners_unpaid;
CREATE INDEX period_winners_unpaid ON period_winners (period_id, scope, rank, user_no)
 WHERE transaction_id IS NULL AND refusal IS NULL;
