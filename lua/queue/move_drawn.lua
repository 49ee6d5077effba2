#!lua flags=allow-oom
-- queue/move_drawn: moves the next entrants from their sequences of joining to their drawn ones.
--
-- The order of the ranks follows from the frozen list and the secret. The caller moves a few
-- entrants per call, from the first rank on, and queue/admit admits them while others are still to
-- be moved. After an interruption, any caller goes on behind the rank in the reply. An entrant that
-- Redis lost is added to the queue, unless it was admitted before: then its ticket brings it back.
-- One that has ended meanwhile stays ended. If a user joined again after a loss, the drawn sequence
-- holds and the later one ends.
--
-- With the first call, silence counts for the first drawn entries: until now every client was asked
-- to poll, and every process merges the presence of all entries.
--
-- KEYS  as lib/queue
-- ARGV  epoch  rank  (user  sequence)…    rank: of the first entrant, from 1; the others follow it
--                                         sequence: of joining
-- Reply {'OK', last_rank}    all entrants up to this rank are moved
--       {'DONE'}             the draw is over: nothing is moved any more
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/queue lib/presence lib/entry lib/sale
local rank = tonumber(ARGV[2])
local refused = guard(META, EPOCH)
if refused then return refused end
local now = clock()
local sale = load_sale(META)
if sale.drawn == 1 then return { 'DONE' } end
local last_moved = math.max(sale.drawn_upto - sale.draw_base, 0)
local users, sequences = {}, {}
for i = 3, #ARGV, 2 do
  users[#users + 1], sequences[#sequences + 1] = ARGV[i], ARGV[i + 1]
end
if rank ~= last_moved + 1 or #users == 0 then return { 'OK', last_moved } end

-- As is_present, for each of several entries.
local function are_present(sequences)
  local reads, present = {}, {}
  for _, sequence in ipairs(sequences) do
    append(reads, 'GET', 'u1', whole(present_bit(sequence)))
  end
  for slot = 1, 3 do
    for i, bit in ipairs(redis.call('BITFIELD_RO', PRESENT[slot], unpack(reads))) do
      present[i] = present[i] or bit == 1
    end
  end
  return present
end

local first = sale.draw_base + rank
local joined, drawn = {}, {}
for i = 1, #users do joined[i], drawn[i] = tonumber(sequences[i]), first + i - 1 end
local waiting = redis.call('ZMSCORE', WAITING, unpack(users))
local past_waiting = redis.call('HMGET', PLACE, unpack(users))
local joined_ended, drawn_ended = end_reasons(joined), end_reasons(drawn)
local slot_ends = {}
if redis.call('EXISTS', SLOT_ENDS) == 1 then
  local fields = {}
  for i = 1, #users do fields[i] = whole(drawn[i]) end
  slot_ends = redis.call('HMGET', SLOT_ENDS, unpack(fields))
end
local slot = turn_ring(sale.present_slot, sale.present_since, sale.presence_ms, now)
local present = are_present(joined)

-- Whether the entrant is to wait at its drawn sequence.
local function is_moved(i, current)
  return current ~= drawn[i] and not past_waiting[i] and not (slot_ends[i] and not current)
    and joined_ended[i] == 0 and drawn_ended[i] == 0
end

local scores, bits = {}, {} -- bits: key → fields of BITFIELD
local function set_bit(key, number, value)
  bits[key] = bits[key] or {}
  append(bits[key], 'SET', 'u1', whole(number), value)
end
for i = 1, #users do
  local current = tonumber(waiting[i] or nil)
  if is_moved(i, current) then
    if current then set_bit(waiting_bits_key(current), current % SPAN, 0) end
    if current and current ~= joined[i] then mark_ended(users[i], current, LEFT, now) end
    set_bit(waiting_bits_key(drawn[i]), drawn[i] % SPAN, 1)
    if present[i] then set_bit(PRESENT[slot], present_bit(drawn[i]), 1) end
    append(scores, whole(drawn[i]), users[i])
  end
end
if #scores > 0 then redis.call('ZADD', WAITING, unpack(scores)) end
for key, fields in pairs(bits) do redis.call('BITFIELD', key, unpack(fields)) end

if last_moved == 0 then
  local reach = math.min(math.max(MIN_REACH, sale.rate * 60), sale.draw_room)
  local notice = whole(math.max(sale.notice, sale.draw_base + reach))
  redis.call('HSET', META, 'notice', notice, 'noticed', notice, 'notice_at', whole(now))
end
redis.call('HSET', META, 'drawn_upto', whole(first + #users - 1))
write_log()
return { 'OK', rank + #users - 1 }
