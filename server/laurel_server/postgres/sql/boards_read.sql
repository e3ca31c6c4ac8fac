-- All configured boards, by id.
SELECT * FROM boards ORDER BY board_id
