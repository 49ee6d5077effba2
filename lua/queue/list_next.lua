#!lua flags=no-writes
-- queue/list_next: who would be let in next, and why nobody is where nobody is.
--
-- Looks by the rules that queue/admit lets people in by, and changes nothing: what is overdue stays
-- so. Whoever is back within their grace comes first, as there. While a draw is to come nobody is
-- next.
--
-- KEYS  as lib/queue
-- ARGV  epoch  most
-- Reply {'OK', why, until_ms, room, now, (sequence, user, here, back)...}
--       why: the first that fits of RECOVERING WITHDRAWN CLOSED NO_SEATS UPCOMING PAUSED SOLD_OUT
--       DRAW NO_CAPACITY EMPTY FULL ASKING; empty where people are let in
--       until_ms: when that ends by itself, else 0; room: free slots
--       here: 1 if heard from within the presence window; back: 1 if passed over and back
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/queue lib/presence lib/sale
local most = tonumber(ARGV[2])
local refused = guard(META, EPOCH)
if refused then return refused end
local now = clock()
local sale = load_sale(META)
local drawing = sale.draw == 1 and sale.drawn ~= 1
local room = math.max(0, sale.capacity - redis.call('ZCARD', ACTIVE))

-- The earliest moment at which a slot is free again.
local function next_free()
  local first = math.huge
  for _, key in ipairs({ ACTIVE, CALLED }) do
    local head = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
    if head[2] then first = math.min(first, tonumber(head[2])) end
  end
  return first == math.huge and 0 or first
end

local function why()
  local in_phase = phase(sale, now)
  if now < sale.pause_until then return 'RECOVERING', sale.pause_until end
  if sale.available ~= 1 then return 'WITHDRAWN', 0 end
  if in_phase == 'UPCOMING' and sale.seats_total == 0 then return 'NO_SEATS', 0 end
  if in_phase == 'UPCOMING' then return in_phase, sale.opens_ms end
  if in_phase ~= 'OPEN' then return in_phase, 0 end
  if drawing then return 'DRAW', 0 end
  if sale.capacity == 0 then return 'NO_CAPACITY', 0 end
  if redis.call('ZCARD', WAITING) + redis.call('ZCARD', RETURNED) == 0 then return 'EMPTY', 0 end
  if room == 0 then return 'FULL', next_free() end
  local head = redis.call('ZRANGE', WAITING, 0, 0, 'WITHSCORES')
  if redis.call('ZCARD', RETURNED) == 0 and not heard(tonumber(head[2]))
    and tonumber(head[2]) > silence_counts_up_to(sale, now)
  then
    return 'ASKING', 0
  end
  return '', 0
end

local reason, until_ms = why()
local reply = { 'OK', reason, until_ms, room, now }
local function add(key, back)
  local left = most - (#reply - 5) / 4
  if left <= 0 then return end
  local head = redis.call('ZRANGE', key, 0, left - 1, 'WITHSCORES')
  for i = 1, #head, 2 do
    local sequence = tonumber(head[i + 1])
    reply[#reply + 1] = sequence
    reply[#reply + 1] = tonumber(head[i])
    reply[#reply + 1] = heard(sequence) and 1 or 0
    reply[#reply + 1] = back
  end
end
if not drawing then
  add(RETURNED, 1)
  add(WAITING, 0)
end
return reply
