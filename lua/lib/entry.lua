-- lib/entry: how a place moves and ends. After lib/queue.
--
-- A place is in exactly one of: waiting; or place, and there active (perhaps called too), parked
-- or returned. Once ended, it is in none, and its two bits in done:<epoch> say why.

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
  note('P', sequence, user, now)
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
  local stands = tonumber(redis.call('ZSCORE', WAITING, user) or nil) or read_place(user)
  local draw = redis.call('HMGET', META, 'draw_base', 'draw_room')
  local base, room = tonumber(draw[1] or 0), tonumber(draw[2] or 0)
  if sequence <= base and stands and stands > base and stands <= base + room then
    -- Named by where they joined, and moved by the draw since: both are over.
    mark_ended(user, sequence, reason, now)
    sequence = stands
  end
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
