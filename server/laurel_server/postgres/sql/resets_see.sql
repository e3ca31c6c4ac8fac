-- Keeps which reset periods of score boards are the present ones. $1 and $2: board ids and period ids.
-- Result: those that are new and follow one on which there were users: the one that was seen last, or a later one, which
-- begin with their first minute and so go by their ids. Cost: index look-ups.
WITH present AS (
    SELECT board_no, board_id, w.period_id FROM unnest($1::text[], $2::text[]) AS w(board_id, period_id) JOIN boards USING (board_id)
), seen AS (
    SELECT board_no, period_id FROM score_resets WHERE board_no IN (SELECT board_no FROM present)
), kept AS (
    INSERT INTO score_resets (board_no, period_id) SELECT board_no, period_id FROM present
    ON CONFLICT (board_no) DO UPDATE SET period_id = excluded.period_id
)
SELECT p.board_id, p.period_id
  FROM present p LEFT JOIN seen USING (board_no)
 WHERE seen.period_id IS DISTINCT FROM p.period_id
   AND EXISTS (SELECT FROM leaderboard_periods s WHERE s.board_no = p.board_no AND s.period_id <> p.period_id
                                                      AND s.period_id >= coalesce(seen.period_id, ''))
