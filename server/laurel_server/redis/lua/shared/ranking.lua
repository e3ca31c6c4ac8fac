-- What scripts that tell ranks share; put before those whose header says `Uses ranking`.
-- A board lists its sorted set from the end: best first, equals by member, greatest first. Positions count from 0 and ranks
-- from 1. A member is sub-score (10 characters on score boards, none on points boards) .. tie (8) .. user id.
local call, sub, byte = redis.call, string.sub, string.byte
local EARLIEST_FIRST, COMPETITION, DENSE = '1', '2', '3'
local TIE = 8

-- Whether nothing of a board is lost, and how many members it has.
local function look(standings, members)
  local total = call('ZCARD', standings)
  return call('HEXISTS', members, '\0') == 1 and call('HLEN', members) == total + 1, total
end

-- Whether a is listed before b, both having one score. By bytes, as Redis does; `>` would go by the locale.
local function precedes(a, b)
  for k = 1, math.min(#a, #b) do
    local x, y = byte(a, k), byte(b, k)
    if x ~= y then return x > y end
  end
  return #a > #b
end

-- How many members are listed before the place of (score, member), which need not be there.
-- O(log N); among E members of that score O(log N * log E).
local function ahead(standings, score, member)
  local first = call('ZCOUNT', standings, '(' .. score, '+inf')
  local last = call('ZCOUNT', standings, score, '+inf')
  while first < last do
    local middle = math.floor((first + last) / 2)
    if precedes(call('ZREVRANGE', standings, middle, middle)[1], member) then
      first = middle + 1
    else
      last = middle
    end
  end
  return first
end

-- How many members have a better score, or the same and a better sub-score (its characters are in `pair`).
local function better(standings, score, pair)
  if pair == '' then return call('ZCOUNT', standings, '(' .. score, '+inf') end
  return ahead(standings, score, pair .. '\255')
end

-- The rank of who has (score, pair) at a position; nil if a level of a DENSE board is lost.
local function rank_at(policy, standings, levels, position, score, pair)
  if policy == EARLIEST_FIRST then return position + 1 end
  if policy == COMPETITION then return better(standings, score, pair) + 1 end
  local level = call('ZREVRANK', levels, pair .. ':' .. score)
  return level and level + 1
end

