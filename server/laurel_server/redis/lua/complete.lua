-- Says that boards are filled: they have a marker from then on, that of `settle` or, where they have only begun, the lowest. A board
-- that was lost again since it was claimed, or that another fill has claimed, stays incomplete.
-- KEYS     members of each board
-- ARGV     the claim
-- Result   how many boards are complete
-- Cost     O(1) a board
local complete = 0
for k = 1, #KEYS do
  if redis.call('HGET', KEYS[k], '\1') == ARGV[1] then
    redis.call('HDEL', KEYS[k], '\1')
    redis.call('HSETNX', KEYS[k], '\0', 0)
    complete = complete + 1
  end
end
return complete
