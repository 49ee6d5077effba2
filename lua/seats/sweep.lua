#!lua flags=allow-oom
-- seats/sweep: removes lapsed claims and holds from the map, so that readers see the seats as free.
--
-- Only for the readers: seats/claim treats a lapsed seat as free before it is swept. The fence
-- stays.
--
-- KEYS  meta held claim seatlog
-- ARGV  epoch
-- Reply {'OK' | 'MORE', swept, seat_version, next_ms, held}
--       MORE: the bound was reached, call again
--       next_ms: when the next seat lapses, from now; -1 if no seat is claimed or held
--       held: seats that are claimed or held after this call
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/seats
local BATCH = 500
local meta, held, claim, seatlog = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local refused = guard(meta, ARGV[1])
if refused then return refused end

local now = clock()
local lapsed = redis.call('ZRANGEBYSCORE', held, '-inf', whole(now), 'LIMIT', 0, BATCH)
local changes = {}
for _, seat in ipairs(lapsed) do
  redis.call('ZREM', held, seat)
  redis.call('HDEL', claim, seat)
  changes[#changes + 1] = seat .. ':' .. FREE
end
local head = redis.call('ZRANGE', held, 0, 0, 'WITHSCORES')
local next_ms = head[2] and math.max(0, tonumber(head[2]) - now) or -1
local version = publish_changes(meta, seatlog, changes)
local left = redis.call('ZCARD', held)
return { #lapsed == BATCH and 'MORE' or 'OK', #lapsed, version, next_ms, left }
