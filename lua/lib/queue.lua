-- lib/queue: what the scripts of the line share: the names of their keys, and how a place moves.
--
-- KEYS  meta waiting active place called parked returned log present:0 present:1 present:2 mergers
--       bits:1 … bits:<epoch>  done:1 … done:<epoch>  slot_ends
-- ARGV  epoch …
--
-- A sequence is epoch * 2^40 + n, exact in a double. Places of older epochs are still in line after
-- a loss of Redis (their tickets bring them back), hence the bitmaps of every epoch.
local META, WAITING, ACTIVE, PLACE = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local CALLED, PARKED, RETURNED, LOG = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local HERE, MERGERS = { KEYS[9], KEYS[10], KEYS[11] }, KEYS[12]
local SLOT_ENDS = KEYS[#KEYS] -- sequence → when its slot ends: admitted before a loss, not shown since
local EPOCH = tonumber(ARGV[1])
local SPAN = 2 ^ 40
-- Why a place ended: two bits per place in done:<epoch>, 0 while it has not.
local EXPIRED, LEFT, COMPLETED = 1, 2, 3

local function bits_of(sequence) return KEYS[12 + math.floor(sequence / SPAN)] end
local function done_of(sequence) return KEYS[12 + EPOCH + math.floor(sequence / SPAN)] end

local function set_waiting(sequence, bit)
  redis.call('SETBIT', bits_of(sequence), sequence % SPAN, bit)
end

local function ended(sequence)
  return redis.call('BITFIELD_RO', done_of(sequence), 'GET', 'u2', '#' .. whole(sequence % SPAN))[1]
end

-- Events for the queue table: '<letter> <sequence> <user> <ms> [extra]'; extra: of 'A' when the slot
-- ends (ms), of 'E' the reason. 'J' joined, 'A' admitted, 'P' passed over, 'E' ended. One stream entry per
-- script, however many places it moved; trimmed by whoever has written it to PostgreSQL. Every
-- script that may end a place calls write_log last.
local events, lapsed = {}, 0 -- lapsed: places that this script ended by time
local function note(letter, sequence, user, now, extra)
  events[#events + 1] = 'e'
  events[#events + 1] = table.concat({ letter, whole(sequence), user, whole(now), extra }, ' ')
end
local function write_log()
  if lapsed > 0 then redis.call('HINCRBY', META, 'expired', lapsed) end
  if #events > 0 then
    redis.call('XADD', LOG, 'MAXLEN', '~', 1000000, '*', unpack(events))
  end
end
