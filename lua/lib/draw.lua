-- lib/draw: which entries are in the draw, and which numbers it uses. After lib/queue and lib/sale.
--
-- An entry with a sequence up to draw_base joined before the opening, in this epoch or an older
-- one. The draw_room numbers after draw_base are reserved for drawn entries; later joins come after
-- them.

-- Closes the draw at the opening, in the first script that runs then: no later join is part of it.
-- In the first epoch there cannot be more entrants than numbers handed out. Later, tickets may
-- bring back more entries than were archived: room for twice as many, and 10,000 more. An unused
-- number costs a few bits.
local function close_draw(sale, now)
  if sale.draw ~= 1 or sale.draw_base > 0 or now < sale.opens_ms then return end
  local counts = redis.call('HMGET', META, 'next_n', 'joined_before')
  local last = tonumber(counts[1] or 0)
  local room = last
  if EPOCH > 1 then
    room = 2 * (last + tonumber(counts[2] or 0) + redis.call('ZCARD', WAITING)) + 10000
  end
  sale.draw_base, sale.draw_room = EPOCH * SPAN + last, room
  redis.call('HINCRBY', META, 'next_n', whole(room))
  redis.call('HSET', META, 'draw_base', whole(sale.draw_base), 'draw_room', whole(room))
end

-- Whether the draw moves the queue, or has moved it: then the ranks of all entrants are known.
local function is_order_drawn(sale) return sale.drawn == 1 or sale.drawn_upto > 0 end

-- How many entries stand before those that may be admitted: while the draw moves the queue, the
-- ones that it still has to move.
local function count_unmoved(sale)
  if not is_draw_pending(sale) then return 0 end
  return redis.call('ZCOUNT', WAITING, '-inf', whole(sale.draw_base))
end
-- The last sequence that may be admitted: later joins stand behind entrants that are not moved yet.
local function find_last_ordered(sale)
  return is_draw_pending(sale) and sale.drawn_upto or math.huge
end

-- Whether a sequence is from before the draw, and whether it is a drawn one.
local function is_before_draw(sale, sequence)
  return sale.draw_base > 0 and sequence <= sale.draw_base
end
local function is_drawn(sale, sequence)
  return sale.draw_base > 0 and sequence > sale.draw_base
    and sequence <= sale.draw_base + sale.draw_room
end
