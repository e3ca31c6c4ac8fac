-- Keeps, of those frozen boards of a period that have none yet, the snapshot and who won what; all of them at once, and
-- nobody's line leaves the ledger for it. Everyone at rank r wins the bonus of r. Runs in a transaction.
-- $1: the period, of boards where it ended at $10: not of one that was created again since, where it goes on.
-- $2-$4: scopes of the boards, their tie policies (1 earliest first, 2 competition, 3 dense) and 1 where the greatest score is the
-- best, otherwise -1. $5: lines of a snapshot. $6: now. $7-$9: scopes, ranks and bonuses that are paid.
-- Cost: the standings of the boards, sorted twice; it locks nothing but the rows of the periods, against their removal: what a
-- board that is deleted meanwhile has from here goes with the rest of it.
WITH board AS (
    SELECT scope, b.policy, b.sign
      FROM board_periods p JOIN unnest($2::text[], $3::smallint[], $4::bigint[]) AS b(scope, policy, sign) USING (scope)
     WHERE p.period_id = $1 AND p.ends_at = $10
       AND NOT EXISTS (SELECT 1 FROM leaderboard_snapshots k WHERE k.scope = b.scope AND k.period_id = $1)
     ORDER BY scope FOR KEY SHARE OF p
), ordered AS (
    SELECT f.scope, f.user_no, f.score, b.policy,
           row_number() OVER (PARTITION BY f.scope ORDER BY f.score * b.sign DESC, f.sub_score * b.sign DESC, f.reached) AS position,
           rank() OVER (PARTITION BY f.scope ORDER BY f.score * b.sign DESC, f.sub_score * b.sign DESC) AS competition,
           dense_rank() OVER (PARTITION BY f.scope ORDER BY f.score * b.sign DESC, f.sub_score * b.sign DESC) AS dense
      FROM final_standings f JOIN board b USING (scope)
     WHERE f.period_id = $1 AND f.scope = ANY ($2::text[])
), ranked AS MATERIALIZED (
    SELECT scope, user_no, score, position, CASE policy WHEN 1 THEN position WHEN 2 THEN competition ELSE dense END AS rank
      FROM ordered
), kept AS (
    INSERT INTO leaderboard_snapshots (scope, period_id, participants, total_points, average_points, median_points,
                                       user_nos, ranks, scores, taken_at)
    SELECT b.scope, $1, count(r.user_no),
           coalesce(greatest(least(sum(r.score), 9223372036854775807), -9223372036854775808), 0)::bigint,
           coalesce(avg(r.score), 0)::double precision,
           coalesce(floor(percentile_cont(0.5) WITHIN GROUP (ORDER BY r.score)), 0)::bigint,
           coalesce(array_agg(r.user_no ORDER BY r.position) FILTER (WHERE r.position <= $5), '{}'),
           coalesce(array_agg(r.rank ORDER BY r.position) FILTER (WHERE r.position <= $5), '{}'),
           coalesce(array_agg(r.score ORDER BY r.position) FILTER (WHERE r.position <= $5), '{}'),
           $6
      FROM board b LEFT JOIN ranked r USING (scope)
     GROUP BY b.scope
)
INSERT INTO period_winners (scope, period_id, user_no, rank, score, bonus_points)
SELECT r.scope, $1, r.user_no, r.rank, r.score, w.points
  FROM ranked r JOIN unnest($7::text[], $8::bigint[], $9::bigint[]) AS w(scope, rank, points) USING (scope, rank)
