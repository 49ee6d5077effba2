#!lua flags=allow-oom
-- queue/finish_draw: ends the draw. From here on people are let in.
--
-- Called when every entrant was moved. Whoever still stands where they joined was not on the list
-- (their ticket came back too late after a loss): they get the next numbers, as if they joined now.
--
-- KEYS  as lib/queue
-- ARGV  epoch
-- Reply {'OK' | 'MORE', late}     MORE: a bound was reached, call again; late: how many were not on
--                                 the list
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
  local user, stands = late[i], tonumber(late[i + 1])
  local sequence = EPOCH * SPAN + redis.call('HINCRBY', META, 'next_n', 1)
  set_waiting(stands, 0)
  note('J', sequence, user, now)
  redis.call('ZADD', WAITING, whole(sequence), user)
  set_waiting(sequence, 1)
  if heard(stands) then
    local slot = turn_ring(sale.here_slot, sale.here_since, sale.presence_ms, now)
    redis.call('SETBIT', HERE[slot], here_bit(sequence), 1)
  end
end
write_log()
if #late == 2 * BATCH then return { 'MORE', BATCH } end
redis.call('HSET', META, 'drawn', 1)
return { 'OK', #late / 2 }
