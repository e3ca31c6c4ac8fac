-- A closed standing stays as it was for shadow users too: who was one then sees himself where he would have stood.

-- The scopes of the boards on which a shadow user would have stood; nobody else has any.
ALTER TABLE period_totals ADD COLUMN shadow_scopes text[] NOT NULL DEFAULT '{}';

-- NULL while the period runs: then the user's visibility decides. Set for ever when it is frozen. Of those who were not
-- listed before this migration nobody knows why.
ALTER TABLE scores ADD COLUMN final_visibility smallint CHECK (final_visibility BETWEEN 1 AND 3);
UPDATE scores SET final_visibility = CASE WHEN listed THEN 1 ELSE 2 END WHERE listed IS NOT NULL;

CREATE OR REPLACE VIEW score_standings AS
SELECT p.scope, p.period_id, s.user_no, s.score, s.sub_score, s.reached
  FROM leaderboard_periods p JOIN scores s ON s.board_no = p.board_no AND s.period_id = p.period_id
  JOIN users u USING (user_no)
 WHERE coalesce(s.final_visibility, u.visibility) = 1;

ALTER TABLE scores DROP COLUMN listed;
