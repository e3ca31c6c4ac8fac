-- Changes of the number of users in each tier, by stretch of time; those before all stretches have the start -1.
-- A user begins in BRONZE with his first entry. Result: start of the stretch in seconds, tier, change.
-- Cost: a scan of all entries, two columns.
SELECT if(changed_at < fromUnixTimestamp64Micro({{from:Int64}}, 'UTC'), -1,
          toInt64(toUnixTimestamp(toDateTime({bucket}, {{zone:String}})))) AS start,
       change.1 AS series, toFloat64(sum(change.2)) AS value
  FROM (SELECT changed_at, user_no, [(toString(from_tier), -1), (toString(to_tier), 1)] AS changes FROM tier_changes FINAL
         UNION ALL
        SELECT min(recorded_at), user_no, [('BRONZE', 1)] FROM entries GROUP BY user_no) ARRAY JOIN changes AS change
 WHERE changed_at < fromUnixTimestamp64Micro({{to:Int64}}, 'UTC') {filters}
 GROUP BY start, series
