-- Where users stand on a board.
-- Uses     ranking
-- KEYS     standings, members, levels, metadata
-- ARGV     tie policy, characters of the sub-score, 1 = with metadata, then user ids, at most 1,000
-- Result   { complete (0 or 1), members, { rank, score, member, ... }, { metadata, ... } }: three a user in the order given,
--          rank 0 = not on the board
-- Cost     O(log N) a user; with sub-scores under COMPETITION as `ahead`
local policy, width = ARGV[1], tonumber(ARGV[2])
local standings, members = KEYS[1], KEYS[2]
local complete, total = look(standings, members)
local users = {}
for k = 4, #ARGV do users[k - 3] = ARGV[k] end
local stored = call('HMGET', members, unpack(users))
local places = {}
for k = 1, #users do
  local rank, score, member = 0, '0', ''
  if stored[k] then
    member = sub(stored[k], 1, width + TIE) .. users[k]
    score = call('ZSCORE', standings, member) or '0'
    local position = policy ~= EARLIEST_FIRST or call('ZREVRANK', standings, member)
    rank = position and rank_at(policy, standings, KEYS[3], position, score, sub(member, 1, width))
    if not rank then rank, complete = 0, false end
  end
  places[3 * k - 2], places[3 * k - 1], places[3 * k] = rank, score, member
end
return { complete and 1 or 0, total, places, ARGV[3] == '1' and call('HMGET', KEYS[4], unpack(users)) or {} }
