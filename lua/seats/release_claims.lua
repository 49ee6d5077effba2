#!lua flags=allow-oom
-- seats/release_claims: gives back the claims of a hold that came to nothing.
--
-- Touches this hold's bare claims only: once PostgreSQL has spoken, the claim is gone and the seat
-- carries a fence, and seats/apply is the only script that may change it. A seat that the same buyer's
-- last hold still kept from others is kept for as long again.
--
-- KEYS  meta held claim seatlog
-- ARGV  epoch  hold_id  seat_number…
-- Reply {'OK', dropped, seat_version}
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/seats lib/user_seats
local meta, held, claim, seatlog = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local hold_id = ARGV[2]
local refused = guard(meta, ARGV[1])
if refused then return refused end
local now = clock()

local changes, dropped = {}, 0
for i = 3, #ARGV do
  local seat = ARGV[i]
  local text = redis.call('HGET', claim, seat)
  local claimed = text and read_claim(text)
  if claimed and claimed.hold_id == hold_id then
    redis.call('HDEL', claim, seat)
    dropped = dropped + 1
    if claimed.kept_until and claimed.kept_until > now then
      redis.call('ZADD', held, whole(claimed.kept_until), seat)
    else
      redis.call('ZREM', held, seat)
      changes[#changes + 1] = seat .. ':' .. FREE
    end
  end
end
return { 'OK', dropped, publish(meta, seatlog, changes) }
