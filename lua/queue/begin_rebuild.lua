#!lua
-- queue/begin_rebuild: begins the rebuilding of a schedule's keys under a new epoch.
--
-- The caller has won the epoch in PostgreSQL. What is here is older or nothing, and goes; until
-- queue/finish_rebuild nobody is served. Each call that loads renews the lease; where it ends, anyone starts over.
--
-- KEYS  meta  every other key of the schedule…
-- ARGV  epoch  run_id  lease_ms     run_id: the server's, as INFO tells it
-- Reply {'OK', now}
--       {'BEHIND', epoch}   somebody rebuilt under a higher epoch already
-- Uses  lib/guard
local meta = KEYS[1]
local stored = tonumber(redis.call('HGET', meta, 'epoch') or 0)
if stored >= tonumber(ARGV[1]) then return { 'BEHIND', stored } end
local now = clock()
for first = 1, #KEYS, 1000 do
  redis.call('UNLINK', unpack(KEYS, first, math.min(first + 999, #KEYS)))
end
redis.call('HSET', meta,
  'epoch', ARGV[1], 'run_id', ARGV[2], 'loading_until', whole(now + ARGV[3]),
  'next_n', 0, 'admitted', 0, 'expired', 0, 'gone', 0, 'blocked', 0, 'seat_version', 0,
  'tokens', 0, 'tokens_at', whole(now), 'here_slot', 1, 'here_since', whole(now), 'presence_ms', 90000,
  'version', 0, 'pause_until', 0)
return { 'OK', now }
