-- Where users stand on a board.
-- Uses     ranking
-- KEYS     standings, members, levels, metadata
-- ARGV     tie policy, characters of the sub-score, 1 = with metadata, then user ids, at most 1,000
-- Result   msgpack: { complete (0 or 1), members, { rank, ... }, { member, score, ... }, { metadata, ... } } of those who
--          are on the board, in the order given
-- Cost     O(log N) a user; with sub-scores under COMPETITION as `ahead`
local policy, width = ARGV[1], tonumber(ARGV[2])
local standings, members = KEYS[1], KEYS[2]
local complete, total = look(standings, members)
local asked = {}
for k = 4, #ARGV do asked[k - 3] = ARGV[k] end
local stored = call('HMGET', members, unpack(asked))
local listed, ranks, lines = {}, {}, {}
for k = 1, #asked do
  if stored[k] then
    local member = sub(stored[k], 1, width + TIE) .. asked[k]
    local score, position = call('ZSCORE', standings, member), 0
    if policy == EARLIEST_FIRST then position = call('ZREVRANK', standings, member) end
    local rank = score and position and rank_at(policy, standings, KEYS[3], position, score, sub(member, 1, width))
    if rank then
      local at = #ranks + 1
      listed[at], ranks[at], lines[2 * at - 1], lines[2 * at] = asked[k], rank, member, score
    else
      complete = false
    end
  end
end
local metadata = ARGV[3] == '1' and #listed > 0 and call('HMGET', KEYS[4], unpack(listed)) or {}
return cmsgpack.pack({ complete and 1 or 0, total, ranks, lines, metadata })
