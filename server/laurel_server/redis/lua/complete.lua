-- Says that boards are filled: writes their markers. A board that was lost again since `empty` stays incomplete.
-- KEYS     members of each board
-- ARGV     the last batch known to be on the boards before they were filled
-- Result   how many boards are complete
-- Cost     O(1) a board
local complete = 0
for k = 1, #KEYS do
  if redis.call('HDEL', KEYS[k], '\1') == 1 then
    redis.call('HSET', KEYS[k], '\0', ARGV[1])
    complete = complete + 1
  end
end
return complete
