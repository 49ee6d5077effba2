#!lua flags=allow-oom
-- queue/mark_present: merges the entries that polled at a process into the presence of the queue.
--
-- Processes answer polls of waiting entries from memory. Only this script makes them present for
-- admission. A process that does so takes a lease with the sequence up to which it has merged every
-- entry that polled there. It merges again before the lease ends, or answers no poll up to that
-- sequence from memory. queue/admit passes over no entry beyond what every such process merged.
--
-- KEYS  as lib/queue
-- ARGV  epoch  process  upto  lease_ms  sequence...
--       process: '' if this call takes no lease; lease_ms: 0 to give the process's lease back
-- Reply {'OK', marked}
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/queue lib/presence lib/sale
local process, upto, lease_ms = ARGV[2], ARGV[3], tonumber(ARGV[4])
local refused = guard(META, EPOCH)
if refused then return refused end
local now = clock()
local sale = load_sale(META)
local slot = turn_ring(sale.present_slot, sale.present_since, sale.presence_ms, now)
for i = 5, #ARGV do
  redis.call('SETBIT', PRESENT[slot], present_bit(tonumber(ARGV[i])), 1)
end
if process ~= '' and lease_ms > 0 then
  redis.call('HSET', MERGERS, process, upto .. ' ' .. whole(now + lease_ms))
elseif process ~= '' then
  redis.call('HDEL', MERGERS, process)
end
return { 'OK', #ARGV - 4 }
