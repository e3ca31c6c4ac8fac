-- The last rank of a user on a board in each stretch of time; the last before all stretches has the start -1.
-- Result: start of the stretch in seconds, series, rank. Cost: the user's range of the primary key.
SELECT if(time < fromUnixTimestamp64Micro({{from:Int64}}, 'UTC'), -1,
          toInt64(toUnixTimestamp(toDateTime({bucket}, {{zone:String}})))) AS start,
       {series} AS series, toFloat64(argMax(rank, time)) AS value
  FROM rank_snapshots FINAL
 WHERE time < fromUnixTimestamp64Micro({{to:Int64}}, 'UTC') {filters}
 GROUP BY start, series
