#!lua flags=allow-oom
-- seats/apply: applies PostgreSQL's decision about seats.
--
-- A seat changes only if its new fence is higher than the stored one; then the decision replaces
-- any claim. The fence stays when the seat is free. So repeats, late calls and any order do no
-- harm. Runs while loading too, so that a rebuild delays no decision. A held or sold seat counts
-- for its user, as in seats/claim. If the caller does not name the user, it is the user whom the
-- same hold had before.
--
-- KEYS  meta holder held claim sold seatlog user_seats
-- ARGV  epoch  state  hold_id  left_ms  (seat_number fence user)…
--       state: KEEP (held for left_ms more), SELL, FREE, BLOCK
--       hold_id: '-' if there is none; user: 0 if there is none
-- Reply {'OK', applied, seat_version}
--       {'LOST'} {'STALE', epoch}
-- Uses  lib/guard lib/seats lib/user_seats
local meta, holder, held = KEYS[1], KEYS[2], KEYS[3]
local claim, sold, seatlog, user_seats = KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local state, hold_id, left_ms = ARGV[2], ARGV[3], tonumber(ARGV[4])
local refused = guard(meta, ARGV[1])
if refused and refused[1] ~= 'LOADING' then return refused end
local now = clock()
local map_state = (state == 'SELL' or state == 'BLOCK') and GONE
  or (state == 'KEEP' and left_ms > 0) and HELD or FREE

-- Each user's seats are read once and written once, for any number of their seats in the call.
local lists = {}
local function read_seats_of(user)
  if not lists[user] then
    local seats = {}
    for seat in (redis.call('HGET', user_seats, user) or ''):gmatch('%d+') do
      seats[#seats + 1] = seat
    end
    lists[user] = seats
  end
  return lists[user]
end
local function remove_seat(user, seat)
  local seats = read_seats_of(user)
  for i = #seats, 1, -1 do
    if seats[i] == seat then table.remove(seats, i) end
  end
end

local changes, gone, blocked = {}, 0, 0
for i = 5, #ARGV, 3 do
  local seat, fence, user = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
  local before = parse_holder(redis.call('HGET', holder, seat))
  if fence > before.fence then
    local claimed = redis.call('HGET', claim, seat)
    if state ~= 'KEEP' and state ~= 'SELL' then
      user = ''
    elseif user == '0' then
      claimed = claimed and parse_claim(claimed)
      user = before.hold_id == hold_id and before.user or ''
      if claimed and claimed.hold_id == hold_id then user = claimed.user end
    end
    if before.user ~= '' then remove_seat(before.user, seat) end
    if user ~= '' then
      remove_seat(user, seat)
      table.insert(read_seats_of(user), seat)
    end
    local stored = { ARGV[i + 1], state, hold_id, user ~= '' and user or nil }
    redis.call('HSET', holder, seat, table.concat(stored, ' '))
    redis.call('HDEL', claim, seat)
    if map_state == HELD then
      redis.call('ZADD', held, whole(now + left_ms), seat)
    else
      redis.call('ZREM', held, seat)
    end
    local was_gone = redis.call('SETBIT', sold, seat, map_state == GONE and 1 or 0)
    gone = gone + (map_state == GONE and 1 or 0) - was_gone
    blocked = blocked + (state == 'BLOCK' and 1 or 0) - (before.state == 'BLOCK' and 1 or 0)
    changes[#changes + 1] = seat .. ':' .. map_state
  end
end
for user, seats in pairs(lists) do
  if #seats > 0 then
    redis.call('HSET', user_seats, user, table.concat(seats, ' '))
  else
    redis.call('HDEL', user_seats, user)
  end
end
if gone ~= 0 then redis.call('HINCRBY', meta, 'gone', gone) end
if blocked ~= 0 then redis.call('HINCRBY', meta, 'blocked', blocked) end
return { 'OK', #changes, publish_changes(meta, seatlog, changes) }
