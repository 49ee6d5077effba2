#!lua flags=allow-oom
-- queue/complete: ends an entry whose user has paid. Its active slot is free at once.
--
-- The outbox delivers it at least once and at any time. It names the sequence and changes no other
-- entry; an entry that ended before keeps its reason. So it may run while the keys are being
-- rebuilt. The rebuild itself also completes entries that were paid from and are not archived as
-- ended.
--
-- KEYS  as lib/queue
-- ARGV  epoch  user  sequence
-- Reply {'OK', reason}    why it ended, now (3) or before: 1 expired, 2 left, 3 completed
--       {'LOST'} {'STALE', epoch}
-- Uses  lib/guard lib/queue lib/entry
local user, sequence = ARGV[2], tonumber(ARGV[3])
local refused = guard(META, EPOCH)
if refused and refused[1] ~= 'LOADING' then return refused end
return { 'OK', end_named_entry(user, sequence, COMPLETED, clock()) }
