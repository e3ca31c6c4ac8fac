-- Drops those for whom the size cap leaves no room on an instance that is locked (scores_lock), the last first; from one
-- that was frozen nobody.
-- $1: board number, $2: period id, $3: how many may be listed, $4: -1 where less is better, 1 otherwise.
-- Result: who was dropped, with the version of his row. Cost: the rows of the instance.
WITH listed AS (
    SELECT s.user_no, u.user_id,
           row_number() OVER (ORDER BY $4 * s.score DESC, $4 * s.sub_score DESC, s.reached) AS place
      FROM scores s JOIN users u USING (user_no)
     WHERE s.board_no = $1 AND s.period_id = $2 AND u.visibility = 1 AND s.final_visibility IS NULL
)
DELETE FROM scores s USING listed
 WHERE s.board_no = $1 AND s.period_id = $2 AND s.user_no = listed.user_no AND listed.place > $3
RETURNING listed.user_id, s.version
