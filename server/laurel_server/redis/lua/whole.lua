-- Which boards have lost something.
-- Uses     ranking
-- KEYS     standings, members of each board
-- Result   the numbers of those boards, from 1, that are not complete, or in whose place is something else
-- Cost     O(1) a board, about 1 us
local lost = {}
for k = 1, #KEYS, 2 do
  local is_board, complete = pcall(look, KEYS[k], KEYS[k + 1])
  if not (is_board and complete) then lost[#lost + 1] = (k + 1) / 2 end
end
return lost
