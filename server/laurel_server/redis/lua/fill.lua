-- Puts many users where the ledger says they stand, on many boards at once, for nobody who waits for ranks.
-- As with `project`, scores are absolute and guarded by the version of the user's row. What a fill brings is mostly new to the
-- board: then the lists go on as they are, and nothing is looked at user by user.
--
-- Uses     floor
-- Uses     lifetimes
-- KEYS     standings, members, gone of each board
-- ARGV[1]  msgpack: { users, standings, entries } of each board
--            users      user ids
--            standings  score and member (tie .. user id) of each, one behind the other
--            entries    user id and entry (tie .. version) of each, likewise
-- ARGV[2]  channel on which ARGV[3] is published: which boards have changed; '' publishes nothing
-- ARGV[4]  the claim of who fills the boards, who leaves alone those that were lost or that another has claimed since; '' = none
-- Result   the numbers of the boards that were left alone, from 1
-- Cost     per user and board one ZADD and one HSET: O(log N); about 4 us at a million members.
local boards = cmsgpack.unpack(ARGV[1])
local call, sub, tonumber, unpack = redis.call, string.sub, tonumber, unpack
local TIE = 8

-- Whether the board knows nothing of these users; nearly always nobody ever left it.
local function is_new(members, gone, users, entries, floor)
  if call('EXISTS', gone) == 1 then return false end
  local stored = call('HMGET', members, unpack(users))
  for k = 1, #users do
    if stored[k] then return false end
    if floor > 0 and tonumber(sub(entries[2 * k], TIE + 1)) <= floor then return false end
  end
  return true
end

local function put_on(standings, members, gone, users, listed, entries, floor)
  local stored, left = call('HMGET', members, unpack(users)), call('HMGET', gone, unpack(users))
  local remove, back, add, set = {}, {}, {}, {}
  for k = 1, #users do
    local user, member, entry, was = users[k], listed[2 * k], entries[2 * k], stored[k]
    if known_version(was and sub(was, TIE + 1), left[k], floor) < tonumber(sub(entry, TIE + 1)) then
      local before = was and sub(was, 1, TIE) .. user
      if before and before ~= member then remove[#remove + 1] = before end
      if left[k] then back[#back + 1] = user end
      add[#add + 1], add[#add + 2], set[#set + 1], set[#set + 2] = listed[2 * k - 1], member, user, entry
    end
  end
  if #remove > 0 then call('ZREM', standings, unpack(remove)) end
  if #back > 0 then call('HDEL', gone, unpack(back)) end
  if #add > 0 then
    call('ZADD', standings, unpack(add))
    call('HSET', members, unpack(set))
  end
end

local left_alone = {}
for b = 1, #boards do
  local standings, members, gone = KEYS[3 * b - 2], KEYS[3 * b - 1], KEYS[3 * b]
  local users, listed, entries = boards[b][1], boards[b][2], boards[b][3]
  if ARGV[4] ~= '' and call('HGET', members, '\1') ~= ARGV[4] then
    left_alone[#left_alone + 1] = b
  else
    -- Who fills the board brings those of whom it knows nothing yet.
    local floor = floor_of(ARGV[4] == '' and call('HGET', members, '\0'))
    if is_new(members, gone, users, entries, floor) then
      call('ZADD', standings, unpack(listed))
      call('HSET', members, unpack(entries))
    else
      put_on(standings, members, gone, users, listed, entries, floor)
    end
    last_as_long_as(members, { standings })
  end
end
if ARGV[2] ~= '' then call('PUBLISH', ARGV[2], ARGV[3]) end
return left_alone
