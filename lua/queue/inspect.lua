#!lua flags=no-writes
-- queue/inspect: returns the epoch of the keys, the server they were built on, and this server.
--
-- The text of every other script ends in the run_id of the server on which the schedule's keys were
-- built, so a server that was restarted, restored or promoted answers NOSCRIPT. This script has no
-- such ending. Its reply tells these cases apart.
--
-- KEYS  meta
-- ARGV  none
-- Reply {'OK', epoch, run_id_of_keys, run_id_of_server, loading_until_ms, now, next_n, seat_version}
--       0 and '' if absent
-- Uses  lib/guard
local meta = KEYS[1]
local found = redis.call('HMGET', meta,
  'epoch', 'run_id', 'loading_until', 'next_n', 'seat_version')
local server = redis.call('INFO', 'server'):match('run_id:(%w+)')
return {
  'OK', tonumber(found[1] or 0), found[2] or '', server, tonumber(found[3] or 0), clock(),
  tonumber(found[4] or 0), tonumber(found[5] or 0),
}
