-- Where users stand on a board.
-- KEYS     standings, members
-- ARGV     user ids, at most 1,000
-- Result   { complete (0 or 1), members, { rank, score, rank, score, ... } }: ranks from 0, -1 = not on the board
-- Cost     O(log N) a user
local total = redis.call('ZCARD', KEYS[1])
local complete = redis.call('HEXISTS', KEYS[2], '\0') == 1 and redis.call('HLEN', KEYS[2]) == total + 1
local stored = redis.call('HMGET', KEYS[2], unpack(ARGV))
local places = {}
for k = 1, #ARGV do
  local rank, score = -1, '0'
  if stored[k] then
    local member = string.sub(stored[k], 1, 8) .. ARGV[k]
    rank = redis.call('ZREVRANK', KEYS[1], member) or -1
    score = redis.call('ZSCORE', KEYS[1], member) or '0'
  end
  places[2 * k - 1], places[2 * k] = rank, score
end
return { complete and 1 or 0, total, places }
