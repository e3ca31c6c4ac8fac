-- Points, awards or active users by stretch of time. Result: start of the stretch in seconds, series, value.
-- {value} is the aggregate, {series} the series, {bucket} the start of the stretch, {filters} more conditions.
-- Cost: a scan of the primary key's range of time.
SELECT toInt64(toUnixTimestamp(toDateTime({bucket}, {{zone:String}}))) AS start, {series} AS series, toFloat64({value}) AS value
  FROM entries FINAL
 WHERE is_award AND occurred_at >= fromUnixTimestamp64Micro({{from:Int64}}, 'UTC')
   AND occurred_at < fromUnixTimestamp64Micro({{to:Int64}}, 'UTC') {filters}
 GROUP BY start, series
