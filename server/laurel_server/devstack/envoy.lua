-- What the gateway does to a request before it is turned into gRPC. In front of this file stand JWT_TOKEN (nil or a
-- text), BOARD_QUERIES (patterns of paths whose query names a board), LISTS (names of fields that may be lists) and
-- OWN_ERROR (the header that marks an error of the gateway's own).
--
-- Short forms that people type become the fields of the contract:
--
--   period=weekly   -> board.period=PERIOD_WEEKLY   (any case; of other fields named period too)
--   period_id, scope -> board.period_id, board.scope (where the request has a board)
--   limit=100       -> page_size=100, or top_n=100 for the top of a board that is watched
--
-- That costs a few microseconds for a request with a query, nothing for others.
--
-- And what it does to errors of the gateway's own: where a request could not be read, they name the field. Of a list
-- where one value belongs the transcoder does not say which it is, so it is looked for before, in bodies up to 32 KiB
-- whose length is given. A body without lists costs one search for them.

local BOARD = { period = "board.period", period_id = "board.period_id", periodId = "board.period_id", scope = "board.scope" }

local function names_board(path)
  for _, pattern in ipairs(BOARD_QUERIES) do
    if path:find(pattern) then
      return true
    end
  end
  return false
end

local function named_period(value)
  local upper = value:upper()
  if upper == "" then
    return "PERIOD_UNSPECIFIED"
  end
  if upper:find("^PERIOD_") or upper:find("^%d+$") then
    return upper
  end
  if upper == "ALL" then
    return "PERIOD_ALL_TIME"
  end
  return "PERIOD_" .. upper
end

local function long_name(name, path)
  if name == "limit" then
    return path:find("/leaderboard/watch$") and "top_n" or "page_size"
  end
  return BOARD[name] and names_board(path) and BOARD[name] or name
end

local function long_form(pair, path)
  local name, value = pair:match("^([^=]*)=(.*)$")
  if not name then
    return pair
  end
  name = long_name(name, path)
  if name == "period" or name:find("%.period$") then
    value = named_period(value)
  end
  return name .. "=" .. value
end

-- A JWT that was found good leaves its payload behind.
local function trade_jwt(handle)
  local checked = handle:streamInfo():dynamicMetadata():get("envoy.filters.http.jwt_authn")
  if checked and checked["payload"] then
    handle:headers():replace("authorization", "Bearer " .. JWT_TOKEN)
  end
end

-- HEAD is answered as GET is, without the body. A watch would never end, and stays without an answer to HEAD.
local function look(handle, target)
  local headers = handle:headers()
  local path = target:match("^(/api/[^?]*)")
  if headers:get(":method") == "HEAD" and path and not path:find("/watch$") then
    headers:replace(":method", "GET")
    handle:streamInfo():dynamicMetadata():set("laurel", "head", true)
  end
end

local function is_look(handle)
  local own = handle:streamInfo():dynamicMetadata():get("laurel")
  return own and own["head"]
end

-- Returns the position behind a string of JSON that begins before `at`, and its text.
local function string_from(text, at)
  local from = at
  while true do
    local stop = text:find('[\\"]', at)
    if not stop then
      return #text + 1, ""
    elseif text:sub(stop, stop) == '"' then
      return stop + 1, text:sub(from, stop - 1)
    end
    at = stop + 2
  end
end

local function snake(name)
  return (name:gsub("%u", function(letter) return "_" .. letter:lower() end))
end

local function path_of(frames)
  local parts = {}
  for k, frame in ipairs(frames) do
    parts[k] = frame.index and "[" .. frame.index .. "]" or (k > 1 and "." or "") .. frame.name
  end
  return table.concat(parts)
end

-- Deeper than any message of the contract: what is nested further is no request, and its path would be as long as itself.
local DEEPEST = 32

-- Returns the path of the first list in a JSON text whose name belongs to no list of the contract; nil for none. What is
-- no JSON has one or none: the transcoder says what is wrong with it.
local function misplaced_list(text)
  local frames, at = {}, 1
  while true do
    local stop = text:find('["{}%[%],]', at)
    if not stop then
      return nil
    end
    local found, frame = text:sub(stop, stop), frames[#frames]
    at = stop + 1
    if found == '"' then
      local said
      at, said = string_from(text, at)
      if frame and frame.name and text:find("^%s*:", at) then
        frame.name = snake(said)
      end
    elseif #frames == DEEPEST and (found == "{" or found == "[") then
      return nil
    elseif found == "{" then
      frames[#frames + 1] = { name = "" }
    elseif found == "[" then
      if frame and frame.name and not LISTS[frame.name] then
        return frame.name:find("^[%w_]+$") and path_of(frames) or nil
      end
      frames[#frames + 1] = { index = 0 }
    elseif found ~= "," then
      frames[#frames] = nil
    elseif frame and frame.index then
      frame.index = frame.index + 1
    end
  end
end

local LARGEST_SEARCHED = 32768

local function search_lists(handle)
  local length = tonumber(handle:headers():get("content-length") or "")
  if not length or length == 0 or length > LARGEST_SEARCHED then
    return
  end
  local body = handle:body()
  local text = body and body:getBytes(0, body:length()) or ""
  local misplaced = text:find(":%s*%[") and misplaced_list(text)
  if misplaced then
    handle:streamInfo():dynamicMetadata():set("laurel", "misplaced_list", misplaced)
  end
end

function envoy_on_request(handle)
  if JWT_TOKEN then
    trade_jwt(handle)
  end
  local target = handle:headers():get(":path")
  look(handle, target)
  if target:find("^/api/") then
    search_lists(handle)
  end
  local path, query = target:match("^(/api/[^?]*)%?(.*)$")
  if not query then
    return
  end
  local pairs_ = {}
  for pair in query:gmatch("[^&]+") do
    pairs_[#pairs_ + 1] = long_form(pair, path)
  end
  handle:headers():replace(":path", path .. "?" .. table.concat(pairs_, "&"))
end

-- Returns the field that a complaint of the transcoder is about, by its name in the contract, and what is wrong with it;
-- "" for the whole request. `text` is JSON inside of quotes; `misplaced` is the list that was found, if any.
local function complaint(text, misplaced)
  if misplaced and text:find("Proto field is not repeating", 1, true) then
    return misplaced, "takes one value, not a list"
  end
  local field, wrong = text:match("^([%a_][%w_%.%[%]]*): (.*)$")
  if field then
    return field, wrong
  end
  local scalar = text:match("^invalid value (Starting an object on a scalar field) for type")
  if scalar then
    return text:match("([%w_]+)$"), text
  end
  local named = text:match('^Could not find field \\"([%w_%.]+)\\"') or text:match("for field '([%w_]+)'")
  return named or "", text
end

local function bad_request(text, misplaced)
  local field, wrong = complaint(text, misplaced)
  if field == misplaced then
    text = field .. ": " .. wrong
  end
  local violation = '{"field":"' .. field .. '","description":"' .. wrong .. '","reason":""}'
  return '{"code":3,"message":"' .. text .. '","details":['
    .. '{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"INVALID_FIELD","domain":"laurel",'
    .. '"metadata":{"field":"' .. field .. '"}},'
    .. '{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[' .. violation .. ']}]}'
end

local function complete_error(handle)
  local body = handle:body()
  local text = body and body:getBytes(0, body:length()):match('"message":"(.*)"}%s*$')
  if text then
    local own = handle:streamInfo():dynamicMetadata():get("laurel")
    text = text == "" and "the path or a header cannot be read" or text:gsub("^: ", "")
    body:setBytes(bad_request(text, own and own["misplaced_list"]))
  end
end

-- gRPC calls it a fault of the server's when a header that it reads is not as it must be, such as grpc-timeout.
local function blame_header(handle)
  local body = handle:body()
  local text = body and body:getBytes(0, body:length()):match('"message":"(Error parsing \'[%w_.-]+\' metadata[^"\\]*)"')
  if text then
    handle:headers():replace(":status", "400")
    body:setBytes(bad_request(text))
  end
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local status, is_own = headers:get(":status"), headers:get(OWN_ERROR)
  headers:remove(OWN_ERROR)
  if is_own and status == "400" then
    complete_error(handle)
  elseif status == "500" then
    blame_header(handle)
  end
  if is_look(handle) then
    local body = handle:body()
    if body and body:length() > 0 then
      body:setBytes("")
    end
  end
end
