#!lua flags=allow-oom
-- queue/leave: ends an entry at its user's request. An active slot is free at once.
--
-- An entry that Redis does not have is ended too, so that its ticket cannot bring it back.
--
-- KEYS  as lib/queue
-- ARGV  epoch  user  sequence
-- Reply {'OK', reason}    why it ended, now (2) or before: 1 expired, 2 left, 3 completed
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/queue lib/entry
local user, sequence = ARGV[2], tonumber(ARGV[3])
local refused = guard(META, EPOCH)
if refused then return refused end
return { 'OK', end_named_entry(user, sequence, LEFT, clock()) }
