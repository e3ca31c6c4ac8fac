-- Claims boards that are about to begin and to be filled; who is on them or has left them stays so. Until `complete` they count as
-- incomplete.
-- Uses     departures
-- KEYS     members, gone of each board
-- ARGV     the claim
-- Result   nothing
-- Cost     O(1) a board
for k = 1, #KEYS, 2 do
  redis.call('HSET', KEYS[k], '\1', ARGV[1])
  keep_departures(KEYS[k + 1])
end
