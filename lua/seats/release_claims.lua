#!lua flags=allow-oom
-- seats/release_claims: releases the claims of a hold that was not made.
--
-- Only claims of this hold that PostgreSQL has not decided. Once it has, the claim is gone and the
-- seat carries a fence; only seats/apply may change it. A seat that the same user's last hold still
-- kept from others is kept as long as before.
--
-- KEYS  meta held claim seatlog
-- ARGV  epoch  hold_id  seat_number…
-- Reply {'OK', dropped, seat_version}     dropped: claims released
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
  local claimed = text and parse_claim(text)
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
return { 'OK', dropped, publish_changes(meta, seatlog, changes) }
