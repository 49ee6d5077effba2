#!lua flags=allow-oom
-- queue/begin_draw: closes the draw of a sale that has opened, and marks the end of its log.
--
-- The mark is a log entry, made once per epoch. When the log is archived up to the mark, so is
-- every entry that joined before the opening, and the entrants can be listed. After a loss of
-- Redis, old tickets are shown again first: the list is not complete before admission may go on.
--
-- KEYS  as lib/queue
-- ARGV  epoch
-- Reply {'OK', base, room, mark}     mark: the position of the mark in the log
--       {'DONE'}                     the queue is already in drawn order
--       {'EARLY', opens_ms}          before the opening, or the sale has no draw
--       {'PAUSED', until_ms}         after a loss: old tickets are still awaited
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
close_draw(sale, now)
if now < sale.pause_until then return { 'PAUSED', sale.pause_until } end
local mark = redis.call('HGET', META, 'draw_mark')
if not mark then
  mark = redis.call('XADD', LOG, '*', 'e', 'D ' .. whole(sale.draw_base))
  redis.call('HSET', META, 'draw_mark', mark)
end
return { 'OK', whole(sale.draw_base), whole(sale.draw_room), mark }
