#!lua
-- seats/claim: claims seats for 5 s for a hold, all or none, if the buyer's slot is active and the
-- buyer keeps no more seats than the limit.
--
-- A claim is only the right to try in PostgreSQL. Free is: neither sold nor blocked, and no live
-- deadline; lapsed counts as free whether or not anyone swept it. A seat that is this very hold's
-- already does not stand in its own way: a repeat of the request meets its own claim, or its own
-- sale, and PostgreSQL tells it what came of the first try. Nor does the buyer's own hold once it is
-- past its end and only kept from others: it can't be paid any more.
--
-- The limit counts the seats that are the buyer's as of now: live claims, live holds, bought seats.
-- user_seats only lists where to look; claim, holder and held decide. So nothing is counted up or
-- down, and a count can't drift. The seats named count once, whether they are the buyer's already
-- or not.
--
-- KEYS  meta active place called holder held claim sold seatlog buyers user_seats
-- ARGV  epoch  user  sequence  hold_id  limit  seat_number…
-- Reply {'OK', seat_version, now, fresh}   fresh: how many seats this call claimed that were no
--                                          claim of this hold before
--       {'TAKEN', repeater, seat_number…}  those taken; repeater: 1 if this user has claimed before,
--                                          and so may be repeating a request that succeeded
--       {'NOT_ACTIVE'}
--       {'OVER_LIMIT', lapsed}             lapsed: how many of the user's seats are of holds past
--                                          their end, and count until PostgreSQL ends them
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/seats lib/user_seats
local CLAIM_MS = 5000
-- How long held keeps a seat beyond the end of its hold (BEYOND_EXPIRY in src/seats/service.rs).
local BEYOND_MS = 5500
local meta, active, place, called = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local holder, held, claim, sold = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local seatlog, buyers, user_seats = KEYS[9], KEYS[10], KEYS[11]
local user, sequence, hold_id, limit = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local refused = guard(meta, ARGV[1])
if refused then return refused end
local now = clock()

-- Each seat as it is: whether it is kept from others, for whom, for which hold, and how.
local function look(seats)
  local owners = redis.call('HMGET', holder, unpack(seats))
  local claims = redis.call('HMGET', claim, unpack(seats))
  local deadlines = redis.call('ZMSCORE', held, unpack(seats))
  local found = {}
  for i, seat in ipairs(seats) do
    local deadline = tonumber(deadlines[i] or nil)
    local live = deadline and deadline > now
    local gone = redis.call('GETBIT', sold, seat) == 1
    local owner = read_holder(owners[i])
    if claims[i] and live and not gone then owner = read_claim(claims[i]) end
    found[i] = { live = live or gone, hold_id = owner.hold_id, claimed = owner.claimed }
    found[i].theirs = found[i].live and owner.user == user
    -- A hold past its end that only keeps others from the seat.
    if found[i].theirs and owner.state == 'KEEP' and not gone and deadline <= now + BEYOND_MS then
      found[i].kept_until = deadline
    end
  end
  return found
end

local seats = { unpack(ARGV, 6) }
local wanted, kept, taken, named, fresh = {}, {}, {}, {}, 0
for i, seat in ipairs(look(seats)) do
  local number = seats[i]
  named[number] = true
  if not seat.live or seat.kept_until then
    wanted[#wanted + 1], kept[number], fresh = number, seat.kept_until, fresh + 1
  elseif seat.hold_id ~= hold_id then
    taken[#taken + 1] = tonumber(number)
  elseif seat.claimed then
    wanted[#wanted + 1] = number -- its own bare claim: for 5 s more
  end
end
if #taken > 0 then
  return { 'TAKEN', redis.call('SISMEMBER', buyers, user), unpack(taken) }
end
if #wanted > 0 then
  local until_ms = redis.call('ZSCORE', active, user)
  local at = redis.call('HGET', place, user)
  if not until_ms or tonumber(until_ms) <= now or not at or at:match('^%d+') ~= sequence then
    return { 'NOT_ACTIVE' }
  end
  local others, theirs, lapsed = {}, {}, 0
  local listed = redis.call('HGET', user_seats, user)
  for number in (listed or ''):gmatch('%d+') do
    -- Once, though seats/load may have listed it twice.
    if not named[number] then named[number], others[#others + 1] = true, number end
  end
  for i, seat in ipairs(#others > 0 and look(others) or {}) do
    if seat.theirs then theirs[#theirs + 1] = others[i] end
    if seat.kept_until then lapsed = lapsed + 1 end
  end
  if fresh > 0 and #theirs + #seats > limit then return { 'OVER_LIMIT', lapsed } end
  for _, number in ipairs(seats) do theirs[#theirs + 1] = number end
  redis.call('HSET', user_seats, user, table.concat(theirs, ' '))
  redis.call('ZREM', called, user)
  redis.call('SADD', buyers, user)
end

local changes = {}
for _, seat in ipairs(wanted) do
  local deadline, beyond = now + CLAIM_MS, kept[seat]
  local text = write_claim(hold_id, whole(deadline), user, beyond and whole(beyond))
  redis.call('HSET', claim, seat, text)
  redis.call('ZADD', held, whole(math.max(deadline, beyond or 0)), seat)
  changes[#changes + 1] = seat .. ':' .. HELD
end
return { 'OK', publish(meta, seatlog, changes), now, fresh }
