-- lib/entry: how a queue entry moves and ends. After lib/queue.
--
-- An entry is either in the sorted set waiting or in the hash place (admitted or passed over). An
-- entry in place is also in active (and perhaps called), in parked, or in returned. An ended entry
-- is in none of them; its two bits in done:<epoch> hold the reason.

-- Records that an entry ended for good: no ticket brings it back.
local function mark_ended(user, sequence, reason, now)
  redis.call('BITFIELD', done_key(sequence), 'SET', 'u2', '#' .. whole(sequence % SPAN), reason)
  if reason == EXPIRED then expired_count = expired_count + 1 end
  log_event('E', sequence, user, now, reason)
end

-- Ends an entry that no longer waits.
local function end_entry(user, sequence, reason, now)
  redis.call('ZREM', ACTIVE, user)
  redis.call('ZREM', CALLED, user)
  redis.call('ZREM', PARKED, user)
  redis.call('ZREM', RETURNED, user)
  redis.call('HDEL', PLACE, user)
  mark_ended(user, sequence, reason, now)
end

-- A stored entry: its sequence, and the end of its grace if it was ever passed over.
local function read_entry(user)
  local stored = redis.call('HGET', PLACE, user)
  if not stored then return nil end
  local sequence, grace = stored:match('^(%d+) ?(%d*)$')
  return tonumber(sequence), tonumber(grace)
end

-- Passes an entry over. It stays until its grace ends, which runs once, from the first time.
local function park_entry(user, sequence, grace, grace_ms, now)
  grace = grace or now + grace_ms
  if grace <= now then return end_entry(user, sequence, EXPIRED, now) end
  redis.call('HSET', PLACE, user, whole(sequence) .. ' ' .. whole(grace))
  redis.call('ZADD', PARKED, whole(grace), user)
  log_event('P', sequence, user, now)
end

-- The state of the entry of a user who is present. Writes the changes that are due by time: it ends
-- an overdue entry, brings back a parked one, and takes a slot after admission. Returns
-- 'WAITING' | 'RETURNED' | 'ACTIVE' with the sequence (and the deadline), or nil without an entry.
local function find_entry(user, now)
  local waiting = redis.call('ZSCORE', WAITING, user)
  if waiting then return 'WAITING', tonumber(waiting) end
  local sequence, grace = read_entry(user)
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
  end_entry(user, sequence, EXPIRED, now)
  return nil
end

-- Ends the named entry, in whichever state, and no other: a repeat must not end a later entry of
-- the user. An entry that Redis does not have is ended too. Returns why it ended, now or before.
local function end_named_entry(user, sequence, reason, now)
  local before = end_reason(sequence)
  if before > 0 then return before end
  local current = tonumber(redis.call('ZSCORE', WAITING, user) or nil) or read_entry(user)
  local draw = redis.call('HMGET', META, 'draw_base', 'draw_room')
  local base, room = tonumber(draw[1] or 0), tonumber(draw[2] or 0)
  if sequence <= base and current and current > base and current <= base + room then
    -- Named by its sequence of joining, and moved by the draw since: both sequences end.
    mark_ended(user, sequence, reason, now)
    sequence = current
  end
  if tonumber(redis.call('ZSCORE', WAITING, user) or nil) == sequence then
    redis.call('ZREM', WAITING, user)
    set_waiting_bit(sequence, 0)
  end
  if read_entry(user) == sequence then
    end_entry(user, sequence, reason, now)
  else
    mark_ended(user, sequence, reason, now)
  end
  write_log()
  return reason
end
