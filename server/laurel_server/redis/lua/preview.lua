-- Where a user would stand with other scores; changes nothing.
-- KEYS     standings, members of each board
-- ARGV     user id, then the score he would have on each board
-- Result   { complete (0 or 1), members then, rank before, rank then, ... } by board: ranks from 0, -1 = not on the board
-- Cost     O(log N) a board
local results = {}
for b = 1, #KEYS / 2 do
  local standings, members, score = KEYS[2 * b - 1], KEYS[2 * b], ARGV[b + 1]
  local total = redis.call('ZCARD', standings)
  local complete = redis.call('HEXISTS', members, '\0') == 1 and redis.call('HLEN', members) == total + 1
  local stored = redis.call('HGET', members, ARGV[1])
  local member = stored and string.sub(stored, 1, 8) .. ARGV[1]
  local before = member and redis.call('ZREVRANK', standings, member) or -1
  -- Who reaches a score last stands below all who have it; the user himself is counted if he is among those now.
  local ahead = redis.call('ZCOUNT', standings, score, '+inf')
  if member and tonumber(redis.call('ZSCORE', standings, member)) >= tonumber(score) then ahead = ahead - 1 end
  local at = 4 * (b - 1)
  results[at + 1], results[at + 2] = complete and 1 or 0, before < 0 and total + 1 or total
  results[at + 3], results[at + 4] = before, ahead
end
return results
