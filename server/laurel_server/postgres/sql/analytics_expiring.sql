-- What expires by month if nobody spends any more. $1: from when on, $2: time zone of the months.
-- Result: first moment of the month, points. Cost: a scan of all open lots.
SELECT date_trunc('month', expires_at, $2) AS month, sum(remaining)::bigint AS points
  FROM lots WHERE expires_at >= $1 AND expires_at < 'infinity' GROUP BY 1 ORDER BY 1
