#!lua flags=allow-oom
-- queue/complete: the buyer of this place has paid; the slot goes to the next.
--
-- Comes from the outbox, at least once and at any time: it names the sequence and touches no other,
-- and a place that ended before stays as it ended.
--
-- KEYS  as lib/line
-- ARGV  epoch  user  sequence
-- Reply {'OK', reason}    3 completed now; else why it had ended before: 1 expired, 2 left, 3 completed
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/line lib/place
local refused = guard(META, EPOCH)
if refused then return refused end
return { 'OK', finish_named(ARGV[2], tonumber(ARGV[3]), COMPLETED, clock()) }
