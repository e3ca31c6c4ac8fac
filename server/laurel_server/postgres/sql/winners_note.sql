-- Notes how winners were paid. $1: scopes, $2: periods, $3: user numbers, $4: entries (NULL: refused), $5: refusals.
UPDATE period_winners w SET transaction_id = n.transaction_id, refusal = n.refusal
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[])
       AS n(scope, period_id, user_no, transaction_id, refusal)
 WHERE w.scope = n.scope AND w.period_id = n.period_id AND w.user_no = n.user_no
