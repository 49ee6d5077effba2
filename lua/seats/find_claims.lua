#!lua flags=no-writes
-- seats/find_claims: counts the live claims that a user has for one hold.
--
-- Runs before a hold request is refused: live claims of its own hold belong to another request under
-- the same idempotency key, which may still succeed.
--
-- KEYS  meta claim user_seats
-- ARGV  epoch  user  hold_id
-- Reply {'OK', claims}
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard
local meta, claim, user_seats = KEYS[1], KEYS[2], KEYS[3]
local user, hold_id = ARGV[2], ARGV[3]
local refused = guard(meta, ARGV[1])
if refused then return refused end
local now = clock()

local claims = 0
for seat in (redis.call('HGET', user_seats, user) or ''):gmatch('%d+') do
  local text = redis.call('HGET', claim, seat)
  local owner, deadline = (text or ''):match('^(%S+) (%d+)')
  if owner == hold_id and tonumber(deadline) > now then claims = claims + 1 end
end
return { 'OK', claims }
