#!lua flags=allow-oom
-- seats/load: loads seats during a rebuild.
--
-- Many seats per call, each with its own state. A seat that Redis has with the same or a higher
-- fence does not change. So repeats do no harm, nor does a seats/apply that came first. Nothing
-- goes to the seatlog: after a rebuild every reader loads the whole map.
--
-- KEYS  meta holder held claim sold user_seats
-- ARGV  epoch  lease_ms  (seat_number fence state hold_id left_ms user)…
--       as in seats/apply; the caller sends at most 500 seats
-- Reply {'OK', loaded, seat_version}
--       {'READY'}   the rebuild is over: nothing was loaded
--       {'LOST'} {'STALE', epoch}
-- Uses  lib/guard lib/rebuild
local meta, holder, held = KEYS[1], KEYS[2], KEYS[3]
local claim, sold, user_seats = KEYS[4], KEYS[5], KEYS[6]
local now = clock()
local refused = renew_lease(meta, ARGV[1], ARGV[2], now)
if refused then return refused end

local numbers = {}
for i = 3, #ARGV, 6 do numbers[#numbers + 1] = ARGV[i] end
local stored = #numbers > 0 and redis.call('HMGET', holder, unpack(numbers)) or {}

-- The loaded seats of each user. user_seats may list seats that are not the user's
-- (lib/user_seats).
local seats_of, users = {}, {}
local holders, ends, gone, blocked = {}, {}, 0, 0
for index, seat in ipairs(numbers) do
  local fence, state, hold_id, left_ms, user = unpack(ARGV, index * 6 - 2, index * 6 + 2)
  local fence_before, state_before = (stored[index] or '0 FREE -'):match('^(%d+) (%S+)')
  if tonumber(fence) > tonumber(fence_before) then
    holders[#holders + 1] = seat
    holders[#holders + 1] = fence .. ' ' .. state .. ' ' .. hold_id
    if user ~= '0' then
      holders[#holders] = holders[#holders] .. ' ' .. user
      if not seats_of[user] then
        seats_of[user], users[#users + 1] = {}, user
      end
      table.insert(seats_of[user], seat)
    end
    if stored[index] then -- only a seat that Redis had can be in claim, held or sold
      redis.call('HDEL', claim, seat)
      redis.call('ZREM', held, seat)
    end
    if state == 'KEEP' and tonumber(left_ms) > 0 then
      ends[#ends + 1] = whole(now + left_ms)
      ends[#ends + 1] = seat
    end
    local is_gone = (state == 'SELL' or state == 'BLOCK') and 1 or 0
    if is_gone == 1 or stored[index] then
      gone = gone + is_gone - redis.call('SETBIT', sold, seat, is_gone)
    end
    blocked = blocked + (state == 'BLOCK' and 1 or 0) - (state_before == 'BLOCK' and 1 or 0)
  end
end
if #holders > 0 then redis.call('HSET', holder, unpack(holders)) end
if #users > 0 then
  local lists = {}
  for index, before in ipairs(redis.call('HMGET', user_seats, unpack(users))) do
    local seats = table.concat(seats_of[users[index]], ' ')
    lists[#lists + 1] = users[index]
    lists[#lists + 1] = before and before .. ' ' .. seats or seats
  end
  redis.call('HSET', user_seats, unpack(lists))
end
if #ends > 0 then redis.call('ZADD', held, unpack(ends)) end
if gone ~= 0 then redis.call('HINCRBY', meta, 'gone', gone) end
if blocked ~= 0 then redis.call('HINCRBY', meta, 'blocked', blocked) end
local version = redis.call('HINCRBY', meta, 'seat_version', #holders > 0 and 1 or 0)
return { 'OK', #holders / 2, version }
