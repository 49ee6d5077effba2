#!lua flags=allow-oom
-- seats/load: loads seats while a schedule's keys are being rebuilt.
--
-- Many seats in one call, each with a state of its own. A seat that Redis has under the same or a
-- higher fence stays as it is, so repeats do no harm, nor does a seats/apply that came first. Nothing
-- goes to the seatlog: after a rebuilding every reader loads the whole map.
--
-- KEYS  meta holder held claim sold user_seats
-- ARGV  epoch  lease_ms  (seat_number fence state hold_id left_ms user)…
--       as in seats/apply; the caller sends at most 500 seats
-- Reply {'OK', loaded, seat_version}
--       {'READY'}   the rebuilding is over: nothing was loaded
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

-- Seats of each user among these; user_seats may name more than is theirs (lib/user_seats).
local theirs, users = {}, {}
local owners, ends, gone, blocked = {}, {}, 0, 0
for index, seat in ipairs(numbers) do
  local fence, state, hold_id, left, user = unpack(ARGV, index * 6 - 2, index * 6 + 2)
  local before, was = (stored[index] or '0 FREE -'):match('^(%d+) (%S+)')
  if tonumber(fence) > tonumber(before) then
    owners[#owners + 1] = seat
    owners[#owners + 1] = fence .. ' ' .. state .. ' ' .. hold_id
    if user ~= '0' then
      owners[#owners] = owners[#owners] .. ' ' .. user
      if not theirs[user] then
        theirs[user], users[#users + 1] = {}, user
      end
      table.insert(theirs[user], seat)
    end
    if stored[index] then -- only then can it have a claim, an end or a bit
      redis.call('HDEL', claim, seat)
      redis.call('ZREM', held, seat)
    end
    if state == 'KEEP' and tonumber(left) > 0 then
      ends[#ends + 1] = whole(now + left)
      ends[#ends + 1] = seat
    end
    local is_gone = (state == 'SELL' or state == 'BLOCK') and 1 or 0
    if is_gone == 1 or stored[index] then
      gone = gone + is_gone - redis.call('SETBIT', sold, seat, is_gone)
    end
    blocked = blocked + (state == 'BLOCK' and 1 or 0) - (was == 'BLOCK' and 1 or 0)
  end
end
if #owners > 0 then redis.call('HSET', holder, unpack(owners)) end
if #users > 0 then
  local lists = {}
  for index, before in ipairs(redis.call('HMGET', user_seats, unpack(users))) do
    local seats = table.concat(theirs[users[index]], ' ')
    lists[#lists + 1] = users[index]
    lists[#lists + 1] = before and before .. ' ' .. seats or seats
  end
  redis.call('HSET', user_seats, unpack(lists))
end
if #ends > 0 then redis.call('ZADD', held, unpack(ends)) end
if gone ~= 0 then redis.call('HINCRBY', meta, 'gone', gone) end
if blocked ~= 0 then redis.call('HINCRBY', meta, 'blocked', blocked) end
local version = redis.call('HINCRBY', meta, 'seat_version', #owners > 0 and 1 or 0)
return { 'OK', #owners / 2, version }
