#!lua flags=no-writes
-- queue/list_next: lists the entries that are admitted next, and says why nobody is admitted.
--
-- Follows the rules of queue/admit, and changes nothing: what is overdue stays overdue. Entries
-- that returned within their grace come first, as there. Before the draw the list is empty.
--
-- KEYS  as lib/queue
-- ARGV  epoch  most     most: maximum number of entries in the list
-- Reply {'OK', why, until_ms, room, now, (sequence, user, here, back)...}
--       why: the first that fits of RECOVERING WITHDRAWN CLOSED NO_SEATS UPCOMING PAUSED SOLD_OUT
--       DRAW NO_CAPACITY EMPTY FULL ASKING; empty while entries are admitted
--       until_ms: when the reason in why ends by itself, else 0; room: free slots
--       here: 1 if present within the presence window; back: 1 if passed over and returned
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/queue lib/presence lib/sale
local most = tonumber(ARGV[2])
local refused = guard(META, EPOCH)
if refused then return refused end
local now = clock()
local sale = load_sale(META)
local draw_is_pending = sale.draw == 1 and sale.drawn ~= 1
local room = math.max(0, sale.capacity - redis.call('ZCARD', ACTIVE))

-- The earliest time at which a slot becomes free; 0 if none is in use.
local function find_next_free()
  local first = math.huge
  for _, key in ipairs({ ACTIVE, CALLED }) do
    local head = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
    if head[2] then first = math.min(first, tonumber(head[2])) end
  end
  return first == math.huge and 0 or first
end

-- Why nobody is admitted, and until when.
local function find_block()
  local phase = sale_phase(sale, now)
  if now < sale.pause_until then return 'RECOVERING', sale.pause_until end
  if sale.available ~= 1 then return 'WITHDRAWN', 0 end
  if phase == 'UPCOMING' and sale.seats_total == 0 then return 'NO_SEATS', 0 end
  if phase == 'UPCOMING' then return phase, sale.opens_ms end
  if phase ~= 'OPEN' then return phase, 0 end
  if draw_is_pending then return 'DRAW', 0 end
  if sale.capacity == 0 then return 'NO_CAPACITY', 0 end
  if redis.call('ZCARD', WAITING) + redis.call('ZCARD', RETURNED) == 0 then return 'EMPTY', 0 end
  if room == 0 then return 'FULL', find_next_free() end
  local head = redis.call('ZRANGE', WAITING, 0, 0, 'WITHSCORES')
  if redis.call('ZCARD', RETURNED) == 0 and not is_present(tonumber(head[2]))
    and tonumber(head[2]) > find_silence_limit(sale, now)
  then
    return 'ASKING', 0
  end
  return '', 0
end

local why, until_ms = find_block()
local reply = { 'OK', why, until_ms, room, now }
local function add_entries(key, back)
  local left = most - (#reply - 5) / 4
  if left <= 0 then return end
  local head = redis.call('ZRANGE', key, 0, left - 1, 'WITHSCORES')
  for i = 1, #head, 2 do
    local sequence = tonumber(head[i + 1])
    reply[#reply + 1] = sequence
    reply[#reply + 1] = tonumber(head[i])
    reply[#reply + 1] = is_present(sequence) and 1 or 0
    reply[#reply + 1] = back
  end
end
if not draw_is_pending then
  add_entries(RETURNED, 1)
  add_entries(WAITING, 0)
end
return reply
