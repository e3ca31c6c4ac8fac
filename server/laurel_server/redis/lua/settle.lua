-- Empties boards again that are claimed, and gives each its floor: by then everything up to that version is in the ledger to be
-- read, so what it brings of users the board does not know has been overtaken. Who has left since the claim stays noted.
-- KEYS     standings, members, levels, metadata of each board
-- ARGV     the claim, the floor
-- Result   how many boards are claimed so; the others are left alone
-- Cost     O(1) a board: what was there is freed in the background
local settled = 0
for k = 1, #KEYS, 4 do
  if redis.call('HGET', KEYS[k + 1], '\1') == ARGV[1] then
    redis.call('UNLINK', KEYS[k], KEYS[k + 1], KEYS[k + 2], KEYS[k + 3])
    redis.call('HSET', KEYS[k + 1], '\1', ARGV[1], '\0', ARGV[2])
    settled = settled + 1
  end
end
return settled
