-- lib/line: what the scripts of the line share: the names of their keys, and how a place moves.
--
-- KEYS  meta waiting active place called parked returned log here:0 here:1 here:2
--       bits:1 … bits:<epoch>  done:1 … done:<epoch>
-- ARGV  epoch …
--
-- A sequence is epoch * 2^40 + n, exact in a double. Places of older epochs are still in line after
-- a loss of Redis (their tickets bring them back), hence the bitmaps of every epoch.
local META, WAITING, ACTIVE, PLACE = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local CALLED, PARKED, RETURNED, LOG = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local HERE = { KEYS[9], KEYS[10], KEYS[11] }
local EPOCH = tonumber(ARGV[1])
local SPAN = 2 ^ 40
-- Why a place ended: two bits per place in done:<epoch>, 0 while it has not.
local EXPIRED, LEFT, COMPLETED = 1, 2, 3

local function bits_of(sequence) return KEYS[11 + math.floor(sequence / SPAN)] end
local function done_of(sequence) return KEYS[11 + EPOCH + math.floor(sequence / SPAN)] end

local function set_waiting(sequence, bit)
  redis.call('SETBIT', bits_of(sequence), whole(sequence % SPAN), bit)
end

local function ended(sequence)
  return redis.call('BITFIELD_RO', done_of(sequence), 'GET', 'u2', '#' .. whole(sequence % SPAN))[1]
end

-- Events for the queue table: '<letter> <sequence> <user> <ms> [reason]'. One stream entry per
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

-- Presence: three bitmaps in a ring, each for half a presence window; whoever is in one of them was
-- heard from within the window. Two bits apart so that neighbouring epochs do not share a bit.
local function here_bit(sequence)
  return whole(2 * (sequence % SPAN) + math.floor(sequence / SPAN) % 2)
end
-- Moves the ring on as time passes; returns the slot in use.
local function turn_ring(slot, since, presence_ms, now)
  local half = presence_ms / 2
  local turns = math.floor((now - since) / half)
  if turns < 1 then return slot end
  for _ = 1, math.min(turns, 3) do
    slot = slot % 3 + 1
    redis.call('UNLINK', HERE[slot])
  end
  redis.call('HSET', META, 'here_slot', slot, 'here_since', whole(since + turns * half))
  return slot
end
local function heard(sequence)
  local bit = here_bit(sequence)
  for i = 1, 3 do
    if redis.call('GETBIT', HERE[i], bit) == 1 then return true end
  end
  return false
end

-- Writes down that a place ended for good: no ticket brings it back.
local function mark_ended(user, sequence, reason, now)
  redis.call('BITFIELD', done_of(sequence), 'SET', 'u2', '#' .. whole(sequence % SPAN), reason)
  if reason == EXPIRED then lapsed = lapsed + 1 end
  note('E', sequence, user, now, reason)
end

-- Ends the place of somebody who is past waiting.
local function finish(user, sequence, reason, now)
  redis.call('ZREM', ACTIVE, user)
  redis.call('ZREM', CALLED, user)
  redis.call('ZREM', PARKED, user)
  redis.call('ZREM', RETURNED, user)
  redis.call('HDEL', PLACE, user)
  mark_ended(user, sequence, reason, now)
end

-- A stored place: its sequence, and the end of its grace if it was ever passed over.
local function read_place(user)
  local stored = redis.call('HGET', PLACE, user)
  if not stored then return nil end
  local sequence, grace = stored:match('^(%d+) ?(%d*)$')
  return tonumber(sequence), tonumber(grace)
end

-- Passes somebody over: their place stays, for a grace that is counted once, from the first time.
local function park(user, sequence, grace, grace_ms, now)
  grace = grace or now + grace_ms
  if grace <= now then return finish(user, sequence, EXPIRED, now) end
  redis.call('HSET', PLACE, user, whole(sequence) .. ' ' .. whole(grace))
  redis.call('ZADD', PARKED, whole(grace), user)
end

-- Where a user who is here now stands, after moving on what time has moved on:
-- 'WAITING' | 'RETURNED' | 'ACTIVE' with the sequence (and the deadline), or nil without a place.
local function find(user, now)
  local waiting = redis.call('ZSCORE', WAITING, user)
  if waiting then return 'WAITING', tonumber(waiting) end
  local sequence, grace = read_place(user)
  if not sequence then return nil end
  local deadline = tonumber(redis.call('ZSCORE', ACTIVE, user) or nil)
  if deadline and deadline > now then
    redis.call('ZREM', CALLED, user)
    if grace then redis.call('HSET', PLACE, user, whole(sequence)) end
    return 'ACTIVE', sequence, deadline
  end
  if not deadline then
    if redis.call('ZSCORE', RETURNED, user) then return 'RETURNED', sequence end
    if grace and grace > now then
      redis.call('ZREM', PARKED, user)
      redis.call('ZADD', RETURNED, whole(sequence), user)
      return 'RETURNED', sequence
    end
  end
  finish(user, sequence, EXPIRED, now)
  return nil
end

-- Ends the place named, wherever it stands, and no other: a repeat must not end a place taken
-- later. One that Redis does not know is ended too. Returns why it ended, now or before.
local function finish_named(user, sequence, reason, now)
  local before = ended(sequence)
  if before > 0 then return before end
  if tonumber(redis.call('ZSCORE', WAITING, user) or nil) == sequence then
    redis.call('ZREM', WAITING, user)
    set_waiting(sequence, 0)
  end
  if read_place(user) == sequence then
    finish(user, sequence, reason, now)
  else
    mark_ended(user, sequence, reason, now)
  end
  write_log()
  return reason
end
