-- All instances of configured score boards that have ever had a member.
SELECT b.board_id, p.period_id FROM score_periods p JOIN boards b USING (board_no) ORDER BY 1, 2
