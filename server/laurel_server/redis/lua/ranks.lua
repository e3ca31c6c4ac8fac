-- Where users stand on a board, in numbers alone.
-- Uses     ranking
-- KEYS     standings, members, levels
-- ARGV     tie policy, characters of the sub-score, then user ids, 1 to 1,000
-- Result   msgpack: { complete (0 or 1), members, { rank, ... }, { score, ... } }: one number a user in the order given,
--          rank 0 = not on the board
-- Cost     O(log N) a user, about a half of `places`; with sub-scores under COMPETITION as `ahead`
local policy, width = ARGV[1], tonumber(ARGV[2])
local standings = KEYS[1]
local complete, total = look(standings, KEYS[2])
local stored = call('HMGET', KEYS[2], unpack(ARGV, 3))
local members, ranks = {}, {}
for k = 1, #stored do members[k] = stored[k] and sub(stored[k], 1, width + TIE) .. ARGV[k + 2] or '' end
local scores = call('ZMSCORE', standings, unpack(members))
for k = 1, #members do
  local score, rank = scores[k], nil
  if score then
    local position = policy ~= EARLIEST_FIRST or call('ZREVRANK', standings, members[k])
    rank = rank_at(policy, standings, KEYS[3], position, score, sub(members[k], 1, width))
  end
  if stored[k] and not rank then complete = false end
  ranks[k], scores[k] = rank or 0, tonumber(score or 0)
end
return cmsgpack.pack({ complete and 1 or 0, total, ranks, scores })
