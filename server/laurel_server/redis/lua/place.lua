-- Puts users where the ledger says they stand, like project.lua, on boards that need more: score boards, and boards whose tie
-- policy is not EARLIEST_FIRST. Scores are absolute and guarded by versions: applied twice, late or out of order, it is harmless.
-- Uses     ranking
-- Uses     departures
-- Uses     floor
-- Uses     lifetimes
-- KEYS     standings, members, gone, levels, metadata of each board
-- ARGV[1]  msgpack: { boards, ranked, claim }; boards in the order of KEYS, each
--            { tie policy, characters of the sub-score, created, on, off }
--            created = 1: the ledger has just registered the board, so it was empty and is complete
--            on  = { user, version, score (text), sub-score .. tie .. version, metadata (JSON, '' = none) } each
--            off = { user, version } each
--            ranked = 1: tell ranks
--            claim = that of who fills the boards, who leaves alone those that were lost or that another has claimed
--                    since; '' = none
-- ARGV[2]  channel on which ARGV[3] is published: which boards have changed; '' publishes nothing
-- Result   msgpack: per board { complete (0 or 1; -1: left alone), members, old ranks, new ranks, old ranks of users taken
--          off }, in order; ranks from 1, 0 = not on the board. Old ranks are those before the whole call, new ones after it.
-- Cost     per user a few sorted set commands, O(log N) each
local input = cmsgpack.unpack(ARGV[1])

local Board = {}
Board.__index = Board

function Board:member(stored, user) return sub(stored, 1, self.width + TIE) .. user end

function Board:rank(member)
  local position = call('ZREVRANK', self.standings, member)
  if not position then return 0 end
  local score = call('ZSCORE', self.standings, member)
  local rank = rank_at(self.policy, self.standings, self.levels, position, score, sub(member, 1, self.width))
  if not rank then self.damaged = true end
  return rank or 0
end

-- Takes a member off, and the level that he was the last to hold.
function Board:remove(member)
  if self.policy ~= DENSE then call('ZREM', self.standings, member) return end
  local score, position = call('ZSCORE', self.standings, member), call('ZREVRANK', self.standings, member)
  call('ZREM', self.standings, member)
  if not score then return end
  local pair = sub(member, 1, self.width)
  -- Equals stand next to each other, so the neighbours tell whether there are any.
  local near = call('ZREVRANGE', self.standings, math.max(0, position - 1), position, 'WITHSCORES')
  for k = 1, #near, 2 do
    if near[k + 1] == score and sub(near[k], 1, self.width) == pair then return end
  end
  call('ZREM', self.levels, pair .. ':' .. score)
end

function Board:add(member, score)
  call('ZADD', self.standings, score, member)
  if self.policy == DENSE then call('ZADD', self.levels, score, sub(member, 1, self.width) .. ':' .. score) end
end

function Board:newest(stored, user)
  return known_version(
    stored and sub(stored, self.width + TIE + 1), not stored and call('HGET', self.gone, user), self.floor)
end

function Board:put_on(user, version, score, entry, metadata)
  local stored = call('HGET', self.members, user)
  if self:newest(stored, user) >= version then return end
  if stored then self:remove(self:member(stored, user)) else call('HDEL', self.gone, user) end
  self:add(self:member(entry, user), score)
  call('HSET', self.members, user, entry)
  if metadata ~= '' then call('HSET', self.metadata, user, metadata) else call('HDEL', self.metadata, user) end
end

function Board:take_off(user, version)
  local stored = call('HGET', self.members, user)
  if self:newest(stored, user) >= version then return end
  if stored then
    self:remove(self:member(stored, user))
    call('HDEL', self.members, user)
    call('HDEL', self.metadata, user)
  end
  note_departures(self.members, self.gone, { user, version })
end

function Board:ranks(on)
  local ranks = {}
  for k = 1, #on do
    local stored = call('HGET', self.members, on[k][1])
    ranks[k] = stored and self:rank(self:member(stored, on[k][1])) or 0
  end
  return ranks
end

local function change(b, each)
  local board = setmetatable({
    standings = KEYS[5 * b - 4], members = KEYS[5 * b - 3], gone = KEYS[5 * b - 2], levels = KEYS[5 * b - 1],
    metadata = KEYS[5 * b], policy = each[1], width = each[2],
  }, Board)
  if input[3] ~= '' and call('HGET', board.members, '\1') ~= input[3] then return { -1, 0, {}, {}, {} } end
  local on, off = each[4], each[5]
  if each[3] == 1 then
    call('HSETNX', board.members, '\0', 0)
    keep_departures(board.gone)
  end
  -- Who fills the board brings those of whom it knows nothing yet.
  board.floor = floor_of(input[3] == '' and call('HGET', board.members, '\0'))
  local old, stood = {}, {}
  if input[2] == 1 then old, stood = board:ranks(on), board:ranks(off) end
  for k = 1, #off do board:take_off(unpack(off[k])) end
  for k = 1, #on do board:put_on(unpack(on[k])) end
  local now = input[2] == 1 and board:ranks(on) or {}
  last_as_long_as(board.members, { board.standings, board.levels, board.metadata })
  local complete, total = look(board.standings, board.members)
  return { complete and not board.damaged and 1 or 0, total, old, now, stood }
end

local results = {}
for b, each in ipairs(input[1]) do results[b] = change(b, each) end
if ARGV[2] ~= '' then call('PUBLISH', ARGV[2], ARGV[3]) end
return cmsgpack.pack(results)
