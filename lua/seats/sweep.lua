#!lua flags=allow-oom
-- seats/sweep: removes lapsed claims and holds from the map, so that readers see the seats as free.
--
-- Only for the readers: seats/claim treats a lapsed seat as free before it is swept. The fence
-- stays.
--
-- KEYS  meta held claim seatlog
-- ARGV  epoch
-- Reply {'OK' | 'MORE', swept, seat_version}   MORE: the bound was reached, call again
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/seats
local BATCH = 500
local meta, held, claim, seatlog = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local refused = guard(meta, ARGV[1])
if refused then return refused end

local lapsed = redis.call('ZRANGEBYSCORE', held, '-inf', whole(clock()), 'LIMIT', 0, BATCH)
local changes = {}
for _, seat in ipairs(lapsed) do
  redis.call('ZREM', held, seat)
  redis.call('HDEL', claim, seat)
  changes[#changes + 1] = seat .. ':' .. FREE
end
return { #lapsed == BATCH and 'MORE' or 'OK', #lapsed, publish_changes(meta, seatlog, changes) }
