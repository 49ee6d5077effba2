#!lua flags=allow-oom
-- queue/mark_present: merges the entries that a process heard from into the presence of the queue.
--
-- Polls of those who wait are answered from a process's memory; this is how admission learns of
-- them. A process that answers polls from memory states the sequence up to which it has merged
-- everything it heard, and for how long that holds: it merges again before, or answers no poll up to
-- that sequence from memory. queue/admit passes nobody over beyond what every such process merged.
--
-- KEYS  as lib/queue
-- ARGV  epoch  process  upto  lease_ms  sequence...
--       process: '' where this call states nothing; lease_ms: 0 where the process serves no longer
-- Reply {'OK', marked}
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/queue lib/presence lib/sale
local process, upto, lease_ms = ARGV[2], ARGV[3], tonumber(ARGV[4])
local refused = guard(META, EPOCH)
if refused then return refused end
local now = clock()
local sale = load_sale(META)
local slot = turn_ring(sale.here_slot, sale.here_since, sale.presence_ms, now)
for i = 5, #ARGV do
  redis.call('SETBIT', HERE[slot], here_bit(tonumber(ARGV[i])), 1)
end
if process ~= '' and lease_ms > 0 then
  redis.call('HSET', MERGERS, process, upto .. ' ' .. whole(now + lease_ms))
elseif process ~= '' then
  redis.call('HDEL', MERGERS, process)
end
return { 'OK', #ARGV - 4 }
