#!lua flags=allow-oom
-- hold/drop: gives back the claims of a hold that came to nothing.
--
-- Touches this hold's bare claims only: once PostgreSQL has spoken, the claim is gone and the seat
-- carries a fence, and hold/apply is the only script that may change it.
--
-- KEYS  meta held claim seatlog
-- ARGV  epoch  hold_id  seat_number…
-- Reply {'OK', dropped, seat_version}
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/seats
local meta, held, claim, seatlog = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local hold_id = ARGV[2]
local refused = guard(meta, ARGV[1])
if refused then return refused end

local changes = {}
for i = 3, #ARGV do
  local seat = ARGV[i]
  local claimed = redis.call('HGET', claim, seat)
  if claimed and claimed:sub(1, #hold_id) == hold_id then
    redis.call('HDEL', claim, seat)
    redis.call('ZREM', held, seat)
    changes[#changes + 1] = seat .. ':' .. FREE
  end
end
return { 'OK', #changes, publish(meta, seatlog, changes) }
