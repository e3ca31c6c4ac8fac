-- Where a user stood on a board at the end of some days. $1: scope, $2: period, $3: user number, $4: the days.
SELECT h.taken_on, h.ranks[i.place] AS rank
  FROM rank_history h CROSS JOIN LATERAL array_position(h.user_nos, $3::bigint) AS i(place)
 WHERE h.scope = $1 AND h.period_id = $2 AND h.shard = $3::bigint >> 10 AND h.taken_on = ANY ($4::date[])
   AND i.place IS NOT NULL
