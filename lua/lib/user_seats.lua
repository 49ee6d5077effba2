-- lib/user_seats: the user of a seat, and the seats of a user.
--
-- claim   seat → '<hold_id> <deadline_ms> <user>'. A claim over the same user's hold past its end
--         also has the time until which the old hold still blocks other users.
-- holder  seat → '<fence> <state> <hold_id>', and the user if the seat is held or sold
-- user_seats  user → '<seat> <seat> …': where to look for the user's seats. It may list seats that
--         are no longer the user's; seats/claim and seats/apply remove those that they find.
local function format_claim(hold_id, deadline, user, kept_until)
  return table.concat({ hold_id, deadline, user, kept_until }, ' ')
end

local function parse_claim(text)
  local hold_id, user, kept_until = text:match('^(%S+) %d+ ?(-?%d*) ?(%d*)$')
  return { claimed = true, hold_id = hold_id, user = user, kept_until = tonumber(kept_until) }
end

local function parse_holder(text)
  local fence, state, hold_id, user = (text or '0 FREE -'):match('^(%d+) (%S+) (%S+) ?(-?%d*)$')
  return { fence = tonumber(fence), state = state, hold_id = hold_id, user = user }
end
