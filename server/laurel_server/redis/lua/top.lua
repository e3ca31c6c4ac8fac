-- A stretch of a board, best first.
-- KEYS     standings, members
-- ARGV     first and last position, from 0
-- Result   { complete (0 or 1), members, { member, score, member, score, ... } }; member = tie .. user id
-- Cost     O(log N + lines)
local total = redis.call('ZCARD', KEYS[1])
local complete = redis.call('HEXISTS', KEYS[2], '\0') == 1 and redis.call('HLEN', KEYS[2]) == total + 1
return { complete and 1 or 0, total, redis.call('ZREVRANGE', KEYS[1], ARGV[1], ARGV[2], 'WITHSCORES') }
