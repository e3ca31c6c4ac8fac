-- Changes of the points that are owed, by stretch of time; those before all stretches have the start -1.
-- Result: start of the stretch in seconds, series, change. Cost: a scan of all entries.
SELECT if(recorded_at < fromUnixTimestamp64Micro({{from:Int64}}, 'UTC'), -1,
          toInt64(toUnixTimestamp(toDateTime({bucket}, {{zone:String}})))) AS start,
       {series} AS series, toFloat64(sum(points)) AS value
  FROM entries FINAL
 WHERE recorded_at < fromUnixTimestamp64Micro({{to:Int64}}, 'UTC') {filters}
 GROUP BY start, series
