-- Moves the canary on, unless it has changed since it was read: then Redis has lost something that must not be covered up.
-- KEYS     canary
-- ARGV     the canary as it was read ('' = missing), the new one
-- Result   1 if it was moved
-- Cost     O(1)
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
