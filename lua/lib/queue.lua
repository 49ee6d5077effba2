-- lib/queue: the key names that the scripts of the queue share, and the events of its log.
--
-- KEYS  meta waiting active place called parked returned log present:0 present:1 present:2 mergers
--       bits:1 … bits:<epoch>  done:1 … done:<epoch>  slot_ends
-- ARGV  epoch …
--
-- A sequence is epoch * 2^40 + n, exact in a double. After a loss of Redis, tickets bring back
-- entries of older epochs. So there are bitmaps of every epoch.
local META, WAITING, ACTIVE, PLACE = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local CALLED, PARKED, RETURNED, LOG = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local PRESENT, MERGERS = { KEYS[9], KEYS[10], KEYS[11] }, KEYS[12]
-- sequence → end of the slot (ms): entries that were admitted before a loss and not shown since.
local SLOT_ENDS = KEYS[#KEYS]
local EPOCH = tonumber(ARGV[1])
local SPAN = 2 ^ 40
-- Why an entry ended: two bits per entry in done:<epoch>, 0 while it has not ended.
local EXPIRED, LEFT, COMPLETED = 1, 2, 3

local function waiting_bits_key(sequence) return KEYS[12 + math.floor(sequence / SPAN)] end
local function done_key(sequence) return KEYS[12 + EPOCH + math.floor(sequence / SPAN)] end

local function set_waiting_bit(sequence, bit)
  redis.call('SETBIT', waiting_bits_key(sequence), sequence % SPAN, bit)
end

-- Appends values to a list.
local function append(list, ...)
  for i = 1, select('#', ...) do list[#list + 1] = (select(i, ...)) end
end

-- Sets the bits of `count` entries with consecutive sequences.
local function set_waiting_bits(first, count)
  local fields, number = {}, first % SPAN
  while count > 0 do
    local width = math.min(count, 32)
    append(fields, 'SET', 'u' .. width, whole(number), whole(2 ^ width - 1))
    number, count = number + width, count - width
  end
  redis.call('BITFIELD', waiting_bits_key(first), unpack(fields))
end

-- Why an entry ended; 0 if it has not ended.
local function end_reason(sequence)
  local index = '#' .. whole(sequence % SPAN)
  return redis.call('BITFIELD_RO', done_key(sequence), 'GET', 'u2', index)[1]
end

-- As end_reason, for each of several entries.
local function end_reasons(sequences)
  local reads, places, reasons = {}, {}, {} -- reads, places: by key
  for i, sequence in ipairs(sequences) do
    local key = done_key(sequence)
    reads[key], places[key] = reads[key] or {}, places[key] or {}
    append(reads[key], 'GET', 'u2', '#' .. whole(sequence % SPAN))
    append(places[key], i)
  end
  for key, fields in pairs(reads) do
    for j, reason in ipairs(redis.call('BITFIELD_RO', key, unpack(fields))) do
      reasons[places[key][j]] = reason
    end
  end
  return reasons
end

-- Events for the table queue: '<letter> <sequence> <user> <ms> [extra]'. 'J' joined; 'A' admitted,
-- extra: end of the slot (ms); 'P' passed over; 'E' ended, extra: the reason. One stream entry per
-- script, for any number of queue entries; the archive loop trims what it has written to
-- PostgreSQL. Every script that may end an entry calls write_log last.
local events, expired_count = {}, 0 -- expired_count: entries that this script ended by time
local function log_event(letter, sequence, user, now, extra)
  events[#events + 1] = 'e'
  events[#events + 1] = table.concat({ letter, whole(sequence), user, whole(now), extra }, ' ')
end
local function write_log()
  if expired_count > 0 then redis.call('HINCRBY', META, 'expired', expired_count) end
  if #events > 0 then
    redis.call('XADD', LOG, 'MAXLEN', '~', 1000000, '*', unpack(events))
  end
end
