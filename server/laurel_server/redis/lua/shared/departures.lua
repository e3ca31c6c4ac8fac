-- What scripts that take users off share; put before those whose header says `Uses departures`.

-- How many seconds it is known who has left a board that is not in Redis. Should it come meanwhile, its departures stay with it
-- (`keep_departures`), however late an old write is.
local OLD_WRITES_TAKE = 30

-- Notes who has left a board: user, version, user, version, ... What is noted stays as long as the board does, if that is there.
local function note_departures(members, gone, departures)
  redis.call('HSET', gone, unpack(departures))
  local stays = redis.call('PTTL', members)
  if stays == -2 then
    redis.call('EXPIRE', gone, OLD_WRITES_TAKE)
  elseif stays == -1 then
    redis.call('PERSIST', gone)
  else
    redis.call('PEXPIRE', gone, stays)
  end
end

-- Has the departures of before stay with a board that begins.
local function keep_departures(gone) redis.call('PERSIST', gone) end

