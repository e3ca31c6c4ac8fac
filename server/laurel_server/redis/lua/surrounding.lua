-- A user with the lines around, and who holds the next milestone.
-- KEYS     standings, members
-- ARGV     user id, lines on each side, then the milestone ranks from 1 upwards
-- Result   { complete (0 or 1), members, rank, first, { member, score, ... }, { member, score } }: rank and first from 0;
--          rank -1 = not on the board; the last is the holder of the best milestone rank that is better, empty at the top
-- Cost     O(log N + lines)
local total = redis.call('ZCARD', KEYS[1])
local complete = redis.call('HEXISTS', KEYS[2], '\0') == 1 and redis.call('HLEN', KEYS[2]) == total + 1
local stored = redis.call('HGET', KEYS[2], ARGV[1])
local rank = stored and redis.call('ZREVRANK', KEYS[1], string.sub(stored, 1, 8) .. ARGV[1])
if not rank then return { complete and 1 or 0, total, -1, 0, {}, {} } end
local range = tonumber(ARGV[2])
local first = math.max(0, rank - range)
local milestone
for k = 3, #ARGV do
  if tonumber(ARGV[k]) > rank then break end
  milestone = tonumber(ARGV[k]) - 1
end
local lines = redis.call('ZREVRANGE', KEYS[1], first, rank + range, 'WITHSCORES')
local holder = milestone and redis.call('ZREVRANGE', KEYS[1], milestone, milestone, 'WITHSCORES') or {}
return { complete and 1 or 0, total, rank, first, lines, holder }
