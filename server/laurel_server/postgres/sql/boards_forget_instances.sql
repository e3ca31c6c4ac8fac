-- Forgets instances of points boards, so that nobody was ever on them, with their snapshots, winners and ranks.
-- $1: scopes, $2: period ids.
WITH gone AS (
    SELECT * FROM unnest($1::text[], $2::text[]) AS g(scope, period_id)
), ranks AS (
    DELETE FROM rank_history h USING gone g WHERE h.scope = g.scope AND h.period_id = g.period_id
)
DELETE FROM leaderboard_periods p USING gone g WHERE p.scope = g.scope AND p.period_id = g.period_id
