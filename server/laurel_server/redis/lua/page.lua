-- A stretch of a board, best first: from the top, after a line, or between two scores.
-- Uses     ranking
-- KEYS     standings, members, levels, metadata
-- ARGV     tie policy, characters of the sub-score, lowest and highest score (inclusive, or -inf and +inf),
--          score and member of the line before ('' and '': from the top), how many lines, 1 = with metadata
-- Result   msgpack: { complete (0 or 1), members, { from, to }, rank of the first line, { member, score, ... }, { metadata, ... } };
--          from = position of the first line, to = position after the last one that is within the scores
-- Cost     O(log N + lines)
local policy, width = ARGV[1], tonumber(ARGV[2])
local lowest, highest, score, member, limit = ARGV[3], ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])
local standings = KEYS[1]
local complete, total = look(standings, KEYS[2])

local from, to = 0, total
if highest ~= '+inf' then from = call('ZCOUNT', standings, '(' .. highest, '+inf') end
if lowest ~= '-inf' then to = call('ZCOUNT', standings, lowest, '+inf') end
if member ~= '' then
  local at = ahead(standings, score, member)
  if call('ZREVRANGE', standings, at, at)[1] == member then at = at + 1 end
  from = math.max(from, at)
end

local last = math.min(from + limit, to) - 1
local lines, rank, metadata = {}, 0, {}
if from <= last then
  lines = call('ZREVRANGE', standings, from, last, 'WITHSCORES')
  rank = rank_at(policy, standings, KEYS[3], from, lines[2], sub(lines[1], 1, width))
  if ARGV[8] == '1' then
    local users = {}
    for k = 1, #lines, 2 do users[#users + 1] = sub(lines[k], width + TIE + 1) end
    metadata = call('HMGET', KEYS[4], unpack(users))
  end
end
return cmsgpack.pack({ complete and rank and 1 or 0, total, { from, to }, rank or 0, lines, metadata })
