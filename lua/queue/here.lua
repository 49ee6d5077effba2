#!lua flags=allow-oom
-- queue/here: merges whom a process has heard from into the presence of the line.
--
-- Polls by those who wait are answered without Redis; this is how admission learns of them. Only
-- those near the front are sent, several times per presence window.
--
-- KEYS  as lib/line
-- ARGV  epoch  sequence…
-- Reply {'OK', marked}
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/line lib/presence lib/sale
local refused = guard(META, EPOCH)
if refused then return refused end
local now = clock()
local sale = load_sale(META)
local slot = turn_ring(sale.here_slot, sale.here_since, sale.presence_ms, now)
for i = 2, #ARGV do
  redis.call('SETBIT', HERE[slot], here_bit(tonumber(ARGV[i])), 1)
end
return { 'OK', #ARGV - 1 }
