#!lua flags=allow-oom
-- queue/finish_draw: ends the draw. Admission may begin.
--
-- Called when every entrant was moved. An entry that still has a sequence from before the draw was
-- not on the list: its ticket was shown too late after a loss. It gets the next number, as if it
-- joined now.
--
-- KEYS  as lib/queue
-- ARGV  epoch
-- Reply {'OK' | 'MORE', late}     MORE: a bound was reached, call again
--                                 late: entries that were not on the list
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/queue lib/presence lib/sale
local BATCH = 100
local refused = guard(META, EPOCH)
if refused then return refused end
local now = clock()
local sale = load_sale(META)
if sale.drawn == 1 then return { 'OK', 0 } end
local late = redis.call('ZRANGEBYSCORE', WAITING, '-inf', whole(sale.draw_base),
  'WITHSCORES', 'LIMIT', 0, BATCH)
for i = 1, #late, 2 do
  local user, joined = late[i], tonumber(late[i + 1])
  local sequence = EPOCH * SPAN + redis.call('HINCRBY', META, 'next_n', 1)
  set_waiting_bit(joined, 0)
  log_event('J', sequence, user, now)
  redis.call('ZADD', WAITING, whole(sequence), user)
  set_waiting_bit(sequence, 1)
  if is_present(joined) then
    local slot = turn_ring(sale.present_slot, sale.present_since, sale.presence_ms, now)
    redis.call('SETBIT', PRESENT[slot], present_bit(sequence), 1)
  end
end
write_log()
if #late == 2 * BATCH then return { 'MORE', BATCH } end
redis.call('HSET', META, 'drawn', 1)
return { 'OK', #late / 2 }
