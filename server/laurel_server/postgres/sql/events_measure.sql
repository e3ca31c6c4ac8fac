-- What rows of the outbox take, as stored: compressed ones compressed, each with 60 bytes of header and fixed columns and 60 of
-- its entries in three indexes. $1: after this batch, $2: how many rows at most, $3: rows of a part.
-- Result: by part its last batch, its rows and its bytes. Cost: an index range of the rows; large events are not read.
SELECT max(batch_no) AS last_batch, count(*) AS rows, sum(size)::bigint AS size
  FROM (SELECT batch_no, 120 + pg_column_size(events) + pg_column_size(user_nos) AS size,
               (row_number() OVER (ORDER BY batch_no) - 1) / $3::bigint AS part
          FROM outbox WHERE batch_no > $1 ORDER BY batch_no LIMIT $2) AS measured
 GROUP BY part ORDER BY part
