-- lib/user_seats: whose a seat is, and which seats are a user's.
--
-- claim   seat → '<hold_id> <deadline_ms> <user>', and the deadline of before where the claim lies
--         over the same user's hold that is past its end
-- holder  seat → '<fence> <state> <hold_id>', and the user where the state is of one
-- user_seats  user → '<seat> <seat> …': where to look for what is theirs. It may name seats that are
--         no longer theirs; seats/claim and seats/apply take those out as they come across them.
local function write_claim(hold_id, deadline, user, kept_until)
  return table.concat({ hold_id, deadline, user, kept_until }, ' ')
end

local function read_claim(text)
  local hold_id, user, kept_until = text:match('^(%S+) %d+ ?(%d*) ?(%d*)$')
  return { claimed = true, hold_id = hold_id, user = user, kept_until = tonumber(kept_until) }
end

local function read_holder(text)
  local fence, state, hold_id, user = (text or '0 FREE -'):match('^(%d+) (%S+) (%S+) ?(%d*)$')
  return { fence = tonumber(fence), state = state, hold_id = hold_id, user = user }
end
