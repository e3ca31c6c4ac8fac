-- Keeps who won what on a board. $1: scope, $2: period, $3: user numbers, $4: ranks, $5: scores, $6: bonuses.
INSERT INTO period_winners (scope, period_id, user_no, rank, score, bonus_points)
SELECT $1, $2, * FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
