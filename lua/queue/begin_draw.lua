#!lua flags=allow-oom
-- queue/begin_draw: shuts the draw of a sale that has opened, and says how far the log must be
-- written before its entrants are counted.
--
-- After a loss of Redis the entrants of before come back with their tickets first: until admission
-- may go on, the list is not complete. The mark is an entry in the log, made once per epoch: when
-- the log is written up to there, so is everybody who joined before the opening.
--
-- KEYS  as lib/queue
-- ARGV  epoch
-- Reply {'OK', base, room, mark}     mark: the position of an entry of the log
--       {'DONE'}                     the line stands in the order drawn already
--       {'EARLY', opens_ms}          before the opening, or no draw at all
--       {'PAUSED', until_ms}         after a loss: old tickets are still coming back
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/queue lib/sale lib/draw
local refused = guard(META, EPOCH)
if refused then return refused end
local now = clock()
local sale = load_sale(META)
if sale.drawn == 1 then return { 'DONE' } end
if sale.draw ~= 1 or (now < sale.opens_ms and sale.draw_base == 0) then
  return { 'EARLY', sale.opens_ms }
end
shut_draw(sale, now)
if now < sale.pause_until then return { 'PAUSED', sale.pause_until } end
local mark = redis.call('HGET', META, 'draw_mark')
if not mark then
  mark = redis.call('XADD', LOG, '*', 'e', 'D ' .. whole(sale.draw_base))
  redis.call('HSET', META, 'draw_mark', mark)
end
return { 'OK', whole(sale.draw_base), whole(sale.draw_room), mark }
