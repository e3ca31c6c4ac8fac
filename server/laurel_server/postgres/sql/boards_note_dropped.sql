-- Notes of which instances Redis may still have keys, of what is to be cleared away.
-- $1: numbers of what is locked, $2: the instances of each as JSON.
UPDATE board_remains r SET instances = n.instances::json
  FROM unnest($1::bigint[], $2::text[]) AS n(remains_no, instances) WHERE r.remains_no = n.remains_no
