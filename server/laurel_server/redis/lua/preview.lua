-- Where a user would stand with other scores on points boards; changes nothing.
-- Uses     ranking
-- KEYS     standings, members, levels of each board
-- ARGV     user id, then by board the score he would have and the tie policy
-- Result   msgpack: { complete (0 or 1), members then, rank before, rank then, ... } by board; rank before 0 = not on the board
-- Cost     O(log N) a board
local results = {}
for b = 1, #KEYS / 3 do
  local standings, members, levels = KEYS[3 * b - 2], KEYS[3 * b - 1], KEYS[3 * b]
  local score, policy = ARGV[2 * b], ARGV[2 * b + 1]
  local complete, total = look(standings, members)
  local stored = call('HGET', members, ARGV[1])
  local member = stored and sub(stored, 1, TIE) .. ARGV[1]
  local position = member and call('ZREVRANK', standings, member)
  local had = position and call('ZSCORE', standings, member)
  local before = position and rank_at(policy, standings, levels, position, had, '') or 0
  local ahead
  if policy == EARLIEST_FIRST then
    -- Who reaches a score last stands below all who have it; the user himself is counted if he is among those now.
    ahead = call('ZCOUNT', standings, score, '+inf')
    if position and tonumber(had) >= tonumber(score) then ahead = ahead - 1 end
  else
    ahead = call('ZCOUNT', policy == DENSE and levels or standings, '(' .. score, '+inf')
  end
  local at = 4 * (b - 1)
  results[at + 1], results[at + 2] = complete and 1 or 0, position and total or total + 1
  results[at + 3], results[at + 4] = before, ahead + 1
end
return cmsgpack.pack(results)
