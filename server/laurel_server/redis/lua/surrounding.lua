-- A user with the lines around, and what is next for him; also for one who is not listed but told where he would stand.
-- Uses     ranking
-- KEYS     standings, members, levels, metadata
-- ARGV     tie policy, characters of the sub-score, 1 = with metadata, user id, lines on each side, score and member that a
--          user who is not listed would have ('' and '': nobody else), the milestone ranks from 1 upwards with spaces between
-- Result   msgpack: { complete (0 or 1), members, position, first, rank of the first line, { member, score, ... }, next, milestone,
--          { metadata, ... }, rank }
--          position -1 = not on the board; lines are those that are listed, so without him who is not
--          next, milestone = { rank, member or sub-score, score } of the next better rank that somebody has, and of who must
--          be reached for the best milestone that is better; empty at the top
-- Cost     O(log N + lines); with sub-scores under COMPETITION as `ahead`
local policy, width = ARGV[1], tonumber(ARGV[2])
local range, score, member = tonumber(ARGV[5]), ARGV[6], ARGV[7]
local standings, levels = KEYS[1], KEYS[3]
local complete, total = look(standings, KEYS[2])
local stored = call('HGET', KEYS[2], ARGV[4])
local position, listed
if stored then
  member = sub(stored, 1, width + TIE) .. ARGV[4]
  position, score, listed = call('ZREVRANK', standings, member), call('ZSCORE', standings, member), 1
elseif member ~= '' then
  position, listed = ahead(standings, score, member), 0
end
if not position then return cmsgpack.pack({ complete and 1 or 0, total, -1, 0, 0, {}, {}, {}, {}, 0 }) end

local pair = sub(member, 1, width)
-- Who is not listed may have a score that nobody has: his rank is one below those who are better.
local function own_rank()
  if policy == DENSE and listed == 0 then return ahead(levels, score, pair .. ':' .. score) + 1 end
  return rank_at(policy, standings, levels, position, score, pair)
end
local rank = own_rank()
if not rank then return cmsgpack.pack({ 0, total, position, 0, 0, {}, {}, {}, {}, 0 }) end

-- What must be reached to have rank r or a better one.
local function holder(r)
  local found = call('ZREVRANGE', policy == DENSE and levels or standings, r - 1, r - 1, 'WITHSCORES')
  if #found == 0 then complete = false return {} end
  local held = r
  if policy == COMPETITION then held = better(standings, found[2], sub(found[1], 1, width)) + 1 end
  return { held, found[1], found[2] }
end

local milestone
for each in string.gmatch(ARGV[8], '%d+') do
  if tonumber(each) >= rank then break end
  milestone = tonumber(each)
end
local first = math.max(0, position - range)
local last = position + range + listed - 1
local lines = first <= last and call('ZREVRANGE', standings, first, last, 'WITHSCORES') or {}
local first_rank = first == position and rank
  or rank_at(policy, standings, levels, first, lines[2], sub(lines[1], 1, width))
local metadata = {}
if ARGV[3] == '1' and #lines > 0 then
  local users = {}
  for k = 1, #lines, 2 do users[#users + 1] = sub(lines[k], width + TIE + 1) end
  metadata = call('HMGET', KEYS[4], unpack(users))
end
local following, best = rank > 1 and holder(rank - 1) or {}, milestone and holder(milestone) or {}
return cmsgpack.pack({
  complete and first_rank and 1 or 0, total, position, first, first_rank or 0, lines, following, best, metadata, rank,
})
