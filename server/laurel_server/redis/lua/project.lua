-- Puts users where the ledger says they stand, on many boards at once, and tells where that is.
-- Scores are absolute and guarded by the version of the user's row: applied twice, late or out of order, it is harmless.
-- Uses     departures
-- Uses     floor
-- KEYS     standings, members, gone of each board
-- ARGV[1]  msgpack: { users, versions, periods, boards, ranked }
--            users     user ids
--            versions  of their rows, in the same order
--            periods   { scores, entries } each, by position of the user; entry = tie .. version
--            boards    { period, on, off, created } each, in the order of KEYS: positions of users to put on and to take
--                      off; created = 1: the ledger has just registered the board, so it was empty and is complete
--            ranked    1: tell ranks
-- ARGV[2]  channel on which ARGV[3] is published: which boards have changed; '' publishes nothing
-- Result   msgpack: per board { complete (0 or 1), members, old ranks, new ranks, left ranks }: old and new ones of the users
--          put on it, left ones of the users taken off it, where they had stood; in order. Ranks from 0, false = not on the
--          board. Old ranks are those before the whole call, new ones after it.
-- Cost     per user and board one ZADD, at most one ZREM, two ZREVRANK: O(log N) each; about 8 us at 100,000 members.
local input = cmsgpack.unpack(ARGV[1])
local users, versions, periods, boards, ranked = input[1], input[2], input[3], input[4], input[5] == 1
local call, sub, tonumber, unpack = redis.call, string.sub, tonumber, unpack
local TIE = 8

local function chosen(positions, first)
  local fields = { first }
  for k = 1, #positions do fields[k + 1] = users[positions[k]] end
  return fields
end

-- Versions of users who left this board; nearly always nobody ever did.
local function departures(gone, fields)
  if call('EXISTS', gone) == 0 then return {} end
  return call('HMGET', gone, unpack(fields))
end

local function take_off(standings, members, gone, off)
  local fields = chosen(off, '\0')
  local stored, left, stood, departed = call('HMGET', members, unpack(fields)), departures(gone, fields), {}, {}
  local floor = floor_of(stored[1])
  for k = 1, #off do
    local was = stored[k + 1]
    stood[k] = ranked and was and call('ZREVRANK', standings, sub(was, 1, TIE) .. fields[k + 1])
  end
  for k = 1, #off do
    local user, was, version = fields[k + 1], stored[k + 1], versions[off[k]]
    if known_version(was and sub(was, TIE + 1), left[k + 1], floor) < version then
      if was then
        call('ZREM', standings, sub(was, 1, TIE) .. user)
        call('HDEL', members, user)
      end
      departed[#departed + 1], departed[#departed + 2] = user, version
    end
  end
  if #departed > 0 then note_departures(members, gone, departed) end
  return stood
end

local function put_on(standings, members, gone, on, period)
  local scores, entries = period[1], period[2]
  local fields = chosen(on, '\0')
  local stored, left = call('HMGET', members, unpack(fields)), departures(gone, fields)
  local old, now, remove, add, set, back = {}, {}, {}, {}, {}, {}
  local floor = floor_of(stored[1])
  for k = 1, #on do
    local i, user, was = on[k], fields[k + 1], stored[k + 1]
    local entry = entries[i]
    local member = sub(entry, 1, TIE) .. user
    local before = was and sub(was, 1, TIE) .. user
    old[k] = ranked and before and call('ZREVRANK', standings, before)
    if known_version(was and sub(was, TIE + 1), left[k + 1], floor) < versions[i] then
      if before and before ~= member then remove[#remove + 1] = before end
      if left[k + 1] then back[#back + 1] = user end
      add[#add + 1], add[#add + 2], set[#set + 1], set[#set + 2] = scores[i], member, user, entry
      now[k] = member
    else
      now[k] = before
    end
  end
  if #remove > 0 then call('ZREM', standings, unpack(remove)) end
  if #back > 0 then call('HDEL', gone, unpack(back)) end
  if #add > 0 then
    call('ZADD', standings, unpack(add))
    call('HSET', members, unpack(set))
  end
  return old, now
end

local results = {}
for b = 1, #boards do
  local standings, members, gone = KEYS[3 * b - 2], KEYS[3 * b - 1], KEYS[3 * b]
  local period, on, off, created = boards[b][1], boards[b][2], boards[b][3], boards[b][4]
  if created == 1 then
    call('HSETNX', members, '\0', 0)
    keep_departures(gone)
  end
  local old, now, stood = {}, {}, {}
  if #off > 0 then stood = take_off(standings, members, gone, off) end
  if #on > 0 then old, now = put_on(standings, members, gone, on, periods[period]) end
  if ranked then
    for k = 1, #on do now[k] = now[k] and call('ZREVRANK', standings, now[k]) end
  end
  local total = call('ZCARD', standings)
  -- A board that lost a part of itself is as incomplete as one that lost its marker.
  local complete = call('HEXISTS', members, '\0') == 1 and call('HLEN', members) == total + 1
  results[b] = { complete and 1 or 0, total, ranked and old or {}, ranked and now or {}, ranked and stood or {} }
end
if ARGV[2] ~= '' then call('PUBLISH', ARGV[2], ARGV[3]) end
return cmsgpack.pack(results)
