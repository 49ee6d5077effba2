#!lua
-- hold/take: claims seats for 5 s for a hold, all or none, if the buyer's slot is active.
--
-- A claim is only the right to try in PostgreSQL. Free is: neither sold nor blocked, and no live
-- deadline; lapsed counts as free whether or not anyone swept it. A seat that is this very hold's
-- already does not stand in its own way: a repeat of the request meets its own claim, or its own
-- sale, and PostgreSQL tells it what came of the first try.
--
-- KEYS  meta active place called holder held claim sold seatlog buyers
-- ARGV  epoch  user  sequence  hold_id  seat_number…
-- Reply {'OK', seat_version, now}
--       {'TAKEN', repeater, seat_number…}   those taken; repeater: 1 if this user has claimed before,
--                                           and so may be repeating a request that succeeded
--       {'NOT_ACTIVE'}
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/seats
local CLAIM_MS = 5000
local meta, active, place, called = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local holder, held, claim, sold = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local seatlog, buyers = KEYS[9], KEYS[10]
local user, sequence, hold_id = ARGV[2], ARGV[3], ARGV[4]
local refused = guard(meta, ARGV[1])
if refused then return refused end
local now = clock()

local seats = { unpack(ARGV, 5) }
local owners = redis.call('HMGET', holder, unpack(seats)) -- '<fence> <state> <hold_id>'
local claims = redis.call('HMGET', claim, unpack(seats)) -- '<hold_id> <deadline_ms>'
local deadlines = redis.call('ZMSCORE', held, unpack(seats))

local wanted, taken = {}, {}
for i, seat in ipairs(seats) do
  local live = deadlines[i] and tonumber(deadlines[i]) > now
  local gone = redis.call('GETBIT', sold, seat) == 1
  local owner = owners[i] and owners[i]:match(' (%S+)$')
  if claims[i] and live and not gone then owner = claims[i]:match('^%S+') end
  if not (gone or live) then
    wanted[#wanted + 1] = seat
  elseif owner ~= hold_id then
    taken[#taken + 1] = tonumber(seat)
  elseif claims[i] then
    wanted[#wanted + 1] = seat -- its own bare claim: for 5 s more
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
  redis.call('ZREM', called, user)
  redis.call('SADD', buyers, user)
end

local changes = {}
for _, seat in ipairs(wanted) do
  redis.call('HSET', claim, seat, hold_id .. ' ' .. whole(now + CLAIM_MS))
  redis.call('ZADD', held, whole(now + CLAIM_MS), seat)
  changes[#changes + 1] = seat .. ':' .. HELD
end
return { 'OK', publish(meta, seatlog, changes), now }
