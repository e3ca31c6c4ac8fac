-- Says that boards are filled: writes their markers. A board that was lost again since `empty`, or that another fill has
-- claimed, stays incomplete.
-- KEYS     members of each board
-- ARGV     the last batch known to be on the boards before they were filled, the claim
-- Result   how many boards are complete
-- Cost     O(1) a board
local complete = 0
for k = 1, #KEYS do
  if redis.call('HGET', KEYS[k], '\1') == ARGV[2] then
    redis.call('HDEL', KEYS[k], '\1')
    redis.call('HSET', KEYS[k], '\0', ARGV[1])
    complete = complete + 1
  end
end
return complete
