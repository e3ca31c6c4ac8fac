-- What scripts that tell new from old share; put before those whose header says `Uses floor`.

-- The version below or at which nobody who is unknown to a board is new to it: the marker. Whoever filled the board has read all
-- that was written up to it, so such a user has left, and what puts him on again was read before he did. -1 without a marker.
local function floor_of(marker) return tonumber(marker or -1) end

-- The version up to which a board knows of a user: `stored` of his entry, else that as of which he `left`, else the floor.
local function known_version(stored, left, floor)
  if stored then return tonumber(stored) end
  return left and math.max(tonumber(left), floor) or floor
end
