#!lua flags=allow-oom
-- seats/apply: what PostgreSQL has decided about seats.
--
-- Applied where its fence is higher than the stored one, over any claim; the fence stays when the
-- seat is free. So repeats, late ones and any order do no harm. Runs while loading too: rebuilding
-- uses it. A seat that is held or sold counts for its user, as seats/claim counts; where the caller does
-- not name the user, it is the user of what the same hold had before.
--
-- KEYS  meta holder held claim sold seatlog user_seats
-- ARGV  epoch  state  hold_id  left_ms  (seat_number fence user)…
--       state: KEEP (held for left_ms more), SELL, FREE, BLOCK; hold_id: '-' where there is none;
--       user: 0 where there is none
-- Reply {'OK', applied, seat_version}
--       {'LOST'} {'STALE', epoch}
-- Uses  lib/guard lib/seats lib/user_seats
local meta, holder, held = KEYS[1], KEYS[2], KEYS[3]
local claim, sold, seatlog, user_seats = KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local state, hold_id, left = ARGV[2], ARGV[3], tonumber(ARGV[4])
local refused = guard(meta, ARGV[1])
if refused and refused[1] ~= 'LOADING' then return refused end
local now = clock()
local shown = (state == 'SELL' or state == 'BLOCK') and GONE
  or (state == 'KEEP' and left > 0) and HELD or FREE

-- Each user's seats are read once and written once, however many of theirs are named.
local lists = {}
local function list_of(user)
  if not lists[user] then
    local seats = {}
    for seat in (redis.call('HGET', user_seats, user) or ''):gmatch('%d+') do
      seats[#seats + 1] = seat
    end
    lists[user] = seats
  end
  return lists[user]
end
local function take_out(user, seat)
  local seats = list_of(user)
  for i = #seats, 1, -1 do
    if seats[i] == seat then table.remove(seats, i) end
  end
end

local changes, gone, blocked = {}, 0, 0
for i = 5, #ARGV, 3 do
  local seat, fence, user = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
  local before = read_holder(redis.call('HGET', holder, seat))
  if fence > before.fence then
    local claimed = redis.call('HGET', claim, seat)
    if state ~= 'KEEP' and state ~= 'SELL' then
      user = ''
    elseif user == '0' then
      claimed = claimed and read_claim(claimed)
      user = before.hold_id == hold_id and before.user or ''
      if claimed and claimed.hold_id == hold_id then user = claimed.user end
    end
    if before.user ~= '' then take_out(before.user, seat) end
    if user ~= '' then
      take_out(user, seat)
      table.insert(list_of(user), seat)
    end
    local owner = { ARGV[i + 1], state, hold_id, user ~= '' and user or nil }
    redis.call('HSET', holder, seat, table.concat(owner, ' '))
    redis.call('HDEL', claim, seat)
    if shown == HELD then
      redis.call('ZADD', held, whole(now + left), seat)
    else
      redis.call('ZREM', held, seat)
    end
    local was_gone = redis.call('SETBIT', sold, seat, shown == GONE and 1 or 0)
    gone = gone + (shown == GONE and 1 or 0) - was_gone
    blocked = blocked + (state == 'BLOCK' and 1 or 0) - (before.state == 'BLOCK' and 1 or 0)
    changes[#changes + 1] = seat .. ':' .. shown
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
return { 'OK', #changes, publish(meta, seatlog, changes) }
