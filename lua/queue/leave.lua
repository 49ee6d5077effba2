#!lua flags=allow-oom
-- queue/leave: ends a place because its owner said so; an active slot is free at once.
--
-- A place that Redis does not know is ended too, so that its ticket can't bring it back.
--
-- KEYS  as lib/queue
-- ARGV  epoch  user  sequence
-- Reply {'OK', reason}    2 left now; else why it had ended before: 1 expired, 2 left, 3 completed
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/queue lib/entry
local refused = guard(META, EPOCH)
if refused then return refused end
return { 'OK', finish_named(ARGV[2], tonumber(ARGV[3]), LEFT, clock()) }
