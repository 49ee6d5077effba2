-- lib/draw: who is in the draw, and which numbers it gives out. After lib/queue and lib/sale.
--
-- Everybody whose sequence is up to draw_base joined before the opening, under this epoch or an
-- older one. The draw_room numbers after it are the draw's; whoever joins later is behind them.

-- Shuts the draw at the opening: by whoever comes first, so that nobody who joins later is in it.
-- Under the first epoch there can't be more entrants than numbers were given out. Later, places
-- that come back from tickets may be more than were written down: room for twice as many, and then
-- some; a number that stays unused costs a few bits.
local function shut_draw(sale, now)
  if sale.draw ~= 1 or sale.draw_base > 0 or now < sale.opens_ms then return end
  local given = redis.call('HMGET', META, 'next_n', 'joined_before')
  local last = tonumber(given[1] or 0)
  local room = last
  if EPOCH > 1 then
    room = 2 * (last + tonumber(given[2] or 0) + redis.call('ZCARD', WAITING)) + 10000
  end
  sale.draw_base, sale.draw_room = EPOCH * SPAN + last, room
  redis.call('HINCRBY', META, 'next_n', whole(room))
  redis.call('HSET', META, 'draw_base', whole(sale.draw_base), 'draw_room', whole(room))
end

-- Whether a sequence is of before the draw, and whether it is one that was drawn.
local function before_draw(sale, sequence)
  return sale.draw_base > 0 and sequence <= sale.draw_base
end
local function drawn_place(sale, sequence)
  return sale.draw_base > 0 and sequence > sale.draw_base
    and sequence <= sale.draw_base + sale.draw_room
end
