-- The lines of a part of a board on both sides of a place.
-- Uses     ranking
-- KEYS     standings, members
-- ARGV     score and member of the place, which need not be there, lines on each side
-- Result   msgpack: { complete (0 or 1), members, how many are ahead, { member, score, ... } ahead, the same from the
--          place on }
-- Cost     O(log N + lines)
local complete, total = look(KEYS[1], KEYS[2])
local at, range = ahead(KEYS[1], ARGV[1], ARGV[2]), tonumber(ARGV[3])
local above = at > 0 and range > 0 and call('ZREVRANGE', KEYS[1], math.max(0, at - range), at - 1, 'WITHSCORES') or {}
local below = call('ZREVRANGE', KEYS[1], at, at + range, 'WITHSCORES')
return cmsgpack.pack({ complete and 1 or 0, total, at, above, below })
