-- Changes of the points that cannot be spent yet, by stretch of time; those before all stretches have the start -1.
-- Result: start of the stretch in seconds, series, change. Cost: a scan of all entries, of those that begin later.
SELECT if(change.1 < fromUnixTimestamp64Micro({{from:Int64}}, 'UTC'), -1,
          toInt64(toUnixTimestamp(toDateTime({bucket}, {{zone:String}})))) AS start,
       'PENDING' AS series, toFloat64(sum(change.2)) AS value
  FROM (SELECT * FROM entries FINAL WHERE activates_at > recorded_at)
       ARRAY JOIN [(recorded_at, points), (assumeNotNull(activates_at), -points)] AS change
 WHERE change.1 < fromUnixTimestamp64Micro({{to:Int64}}, 'UTC') {filters}
 GROUP BY start, series
