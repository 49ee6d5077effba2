#!lua flags=allow-oom
-- queue/complete: the buyer of this place has paid; the slot goes to the next.
--
-- Comes from the outbox, at least once and at any time: it names the sequence and touches no other,
-- and a place that ended before stays as it ended. So it may come while the keys are being rebuilt, and
-- from the rebuilding itself: what was paid from and was not written down as ended.
--
-- KEYS  as lib/queue
-- ARGV  epoch  user  sequence
-- Reply {'OK', reason}    3 completed now; else why it had ended before: 1 expired, 2 left, 3 completed
--       {'LOST'} {'STALE', epoch}
-- Uses  lib/guard lib/queue lib/entry
local refused = guard(META, EPOCH)
if refused and refused[1] ~= 'LOADING' then return refused end
return { 'OK', finish_named(ARGV[2], tonumber(ARGV[3]), COMPLETED, clock()) }
