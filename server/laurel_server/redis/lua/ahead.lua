-- How many members a part of a board lists before given places.
-- Uses     ranking
-- KEYS     standings, members
-- ARGV     score and member of each place, which need not be there
-- Result   msgpack: { complete (0 or 1), members, { how many are ahead, ... } }
-- Cost     O(log N) a place; among E members of one score O(log N * log E)
local complete, total = look(KEYS[1], KEYS[2])
local counts = {}
for k = 1, #ARGV, 2 do counts[#counts + 1] = ahead(KEYS[1], ARGV[k], ARGV[k + 1]) end
return cmsgpack.pack({ complete and 1 or 0, total, counts })
