-- Empties boards before they are filled. Until `complete` they count as incomplete, whoever writes a marker meanwhile.
-- KEYS     standings, members, gone, levels, metadata of each board
-- Result   nothing
-- Cost     O(1) a board: what was there is freed in the background
redis.call('UNLINK', unpack(KEYS))
for k = 2, #KEYS, 5 do redis.call('HSET', KEYS[k], '\1', '') end
