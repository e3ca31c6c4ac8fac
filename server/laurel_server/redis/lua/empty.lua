-- Empties boards before they are filled, and claims them: until `complete` they count as incomplete, whoever writes a marker
-- meanwhile, and only who has the claim fills them.
-- KEYS     standings, members, gone, levels, metadata of each board
-- ARGV     the claim; after how many seconds all of the boards goes by itself, 0 = never
-- Result   nothing
-- Cost     O(1) a board: what was there is freed in the background
redis.call('UNLINK', unpack(KEYS))
for k = 2, #KEYS, 5 do
  redis.call('HSET', KEYS[k], '\1', ARGV[1])
  if ARGV[2] ~= '0' then redis.call('EXPIRE', KEYS[k], ARGV[2]) end
end
