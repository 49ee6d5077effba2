#!lua flags=no-writes
-- queue/inspect: whose keys are these, and which server is this?
--
-- Every other script's text ends in the run_id of the server that its schedule was built on, so a
-- server that was restarted, restored or promoted answers NOSCRIPT. This one has no such ending and
-- tells which case it is.
--
-- KEYS  meta
-- ARGV  none
-- Reply {'OK', epoch, run_id_of_keys, run_id_of_server, loading_until_ms, now, next_n, seat_version}
--       0 and '' where absent
-- Uses  lib/guard
local found = redis.call('HMGET', KEYS[1], 'epoch', 'run_id', 'loading_until', 'next_n', 'seat_version')
local server = redis.call('INFO', 'server'):match('run_id:(%w+)')
return {
  'OK', tonumber(found[1] or 0), found[2] or '', server, tonumber(found[3] or 0), clock(),
  tonumber(found[4] or 0), tonumber(found[5] or 0),
}
