#!lua
-- queue/begin_rebuild: begins the rebuild of a schedule's keys under a new epoch.
--
-- The caller has won the epoch in PostgreSQL. All keys are removed: they are older, or absent.
-- Until queue/finish_rebuild no client is served. Each loading call renews the lease; when the
-- lease has ended, any process starts a new rebuild.
--
-- KEYS  meta  every other key of the schedule…
-- ARGV  epoch  run_id  lease_ms     run_id: of this server, as INFO shows it
-- Reply {'OK', now}
--       {'BEHIND', epoch}   the keys have this epoch or a higher one already
-- Uses  lib/guard
local meta = KEYS[1]
local epoch, run_id, lease_ms = ARGV[1], ARGV[2], ARGV[3]
local stored = tonumber(redis.call('HGET', meta, 'epoch') or 0)
if stored >= tonumber(epoch) then return { 'BEHIND', stored } end
local now = clock()
for first = 1, #KEYS, 1000 do
  redis.call('UNLINK', unpack(KEYS, first, math.min(first + 999, #KEYS)))
end
redis.call('HSET', meta,
  'epoch', epoch, 'run_id', run_id, 'loading_until', whole(now + lease_ms),
  'next_n', 0, 'admitted', 0, 'expired', 0, 'gone', 0, 'blocked', 0, 'seat_version', 0,
  'tokens', 0, 'tokens_at', whole(now), 'present_slot', 1, 'present_since', whole(now),
  'presence_ms', 90000, 'version', 0, 'pause_until', 0)
return { 'OK', now }
