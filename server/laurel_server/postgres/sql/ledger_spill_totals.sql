-- Moves totals of periods that are over out of the hot rows. Runs with the hot rows locked.
-- $1: period ids, $2: user numbers, $3: scores, $4: ledger sequences at which the scores were reached, $5: the scopes of the
-- boards that count them, $6: those on which a shadow user would have stood; both as JSON, because arrays of arrays must be
-- rectangular.
INSERT INTO period_totals (period_id, user_no, score, reached, scopes, shadow_scopes)
SELECT t.period_id, t.user_no, t.score, t.reached, ARRAY(SELECT json_array_elements_text(t.scopes::json)),
       ARRAY(SELECT json_array_elements_text(t.shadow_scopes::json))
  FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[])
       AS t(period_id, user_no, score, reached, scopes, shadow_scopes)
