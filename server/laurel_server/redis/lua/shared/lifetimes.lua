-- What scripts that may make the first key of a kind share; put before those whose header says `Uses lifetimes`.

-- Has keys of a board go when its members do. Those of nearly all boards stay; what is brought back of an archived one goes after
-- a while, also if who brings it back dies over it.
local function last_as_long_as(members, keys)
  local stays = redis.call('PTTL', members)
  if stays < 0 then return end
  for k = 1, #keys do redis.call('PEXPIRE', keys[k], stays) end
end

