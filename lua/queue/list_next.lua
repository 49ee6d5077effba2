#!lua flags=no-writes
-- queue/list_next: lists the entries that are admitted next, and says why nobody is admitted.
--
-- Follows the rules of queue/admit, and changes nothing: what is overdue stays overdue. Entries
-- that returned within their grace come first, as there. Until a draw has moved the first entries
-- into drawn order, the list is empty.
--
-- KEYS  as lib/queue
-- ARGV  epoch  limit     limit: maximum number of entries in the list
-- Reply {'OK', blocked_by, until_ms, room, now, (sequence, user, present, returned)...}
--       blocked_by: the first that fits of RECOVERING WITHDRAWN CLOSED NO_SEATS UPCOMING PAUSED
--       SOLD_OUT DRAW NO_CAPACITY EMPTY FULL ASKING; empty while entries are admitted
--       until_ms: when blocked_by ends by itself, else 0; room: free slots
--       present: 1 if it polled within the presence window; returned: 1 if passed over and back
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/queue lib/presence lib/sale lib/draw
local limit = tonumber(ARGV[2])
local refused = guard(META, EPOCH)
if refused then return refused end
local now = clock()
local sale = load_sale(META)
local unmoved, last_ordered = count_unmoved(sale), find_last_ordered(sale)
local room = math.max(0, sale.capacity - redis.call('ZCARD', ACTIVE))

-- The end of the first slot; 0 if none is in use. An entry that was called and has not been seen may
-- free its slot earlier, but most are seen.
local function find_next_free()
  local head = redis.call('ZRANGE', ACTIVE, 0, 0, 'WITHSCORES')
  return tonumber(head[2] or 0)
end

-- Why nobody is admitted, and until when.
local function find_block()
  local phase = sale_phase(sale, now)
  if now < sale.pause_until then return 'RECOVERING', sale.pause_until end
  if sale.available ~= 1 then return 'WITHDRAWN', 0 end
  if phase == 'UPCOMING' and sale.seats_total == 0 then return 'NO_SEATS', 0 end
  if phase == 'UPCOMING' then return phase, sale.opens_ms end
  if phase ~= 'OPEN' then return phase, 0 end
  if last_ordered == 0 then return 'DRAW', 0 end
  if sale.capacity == 0 then return 'NO_CAPACITY', 0 end
  if redis.call('ZCARD', WAITING) + redis.call('ZCARD', RETURNED) == 0 then return 'EMPTY', 0 end
  if room == 0 then return 'FULL', find_next_free() end
  local head = redis.call('ZRANGE', WAITING, unmoved, unmoved, 'WITHSCORES')
  if redis.call('ZCARD', RETURNED) == 0 and head[2] and not is_present(tonumber(head[2]))
    and tonumber(head[2]) > find_silence_limit(sale, now)
  then
    return 'ASKING', 0
  end
  return '', 0
end

local blocked_by, until_ms = find_block()
local reply = { 'OK', blocked_by, until_ms, room, now }
local function add_entries(key, first, returned)
  local left = limit - (#reply - 5) / 4
  if left <= 0 then return end
  local head = redis.call('ZRANGE', key, first, first + left - 1, 'WITHSCORES')
  for i = 1, #head, 2 do
    local sequence = tonumber(head[i + 1])
    if sequence > last_ordered then return end
    reply[#reply + 1] = sequence
    reply[#reply + 1] = tonumber(head[i])
    reply[#reply + 1] = is_present(sequence) and 1 or 0
    reply[#reply + 1] = returned
  end
end
add_entries(RETURNED, 0, 1)
add_entries(WAITING, unmoved, 0)
return reply
