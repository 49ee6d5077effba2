#!lua flags=allow-oom
-- queue/resolve_ticket: returns the state of a ticket's entry; restores an entry that Redis lost.
-- The slow path of a poll: for tickets that do not wait according to the board.
--
-- An ended entry stays ended. An entry that Redis does not have is restored from the signed ticket,
-- whose signature the caller has verified: a loss of Redis must cost no user their entry. The end
-- of a slot never moves. After a loss, a ticket that was signed before admission brings back the
-- slot of slot_ends; if that slot is over, the entry ends. The call marks the entry as present,
-- claims its active slot, and brings back a passed-over entry.
--
-- KEYS  as lib/queue
-- ARGV  epoch  user  sequence  active_until_ms  [joined]
--       active_until_ms: 0 unless the ticket is ACTIVE
--       joined: the sequence of joining, which differs if the entry was drawn: an entry that ended
--       under it while the draw went on has ended
-- Reply {'WAITING', sequence, ahead, now}    sequence: the current one, the lowest that was shown
--       {'RETURNED', sequence, ahead, now}
--       {'ACTIVE', sequence, deadline_ms, now}
--       {'ENDED', reason, now}               1 expired, 2 left, 3 completed
--       {'DRAWN'}     from before the draw, and not in the queue: call with the drawn sequence
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/queue lib/presence lib/entry lib/sale lib/draw
local user, shown, until_ms = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local refused = guard(META, EPOCH)
if refused then return refused end
local now = clock()
local reason = math.max(end_reason(shown), end_reason(tonumber(ARGV[5] or shown)))
if reason > 0 then return { 'ENDED', reason, now } end
local sale = load_sale(META)
if until_ms == 0 then
  until_ms = tonumber(redis.call('HGET', SLOT_ENDS, whole(shown)) or 0)
end

local state, sequence, deadline = find_entry(user, now)
local slot_is_over = until_ms > 0 and until_ms <= now
if state == 'WAITING' and until_ms > 0 and (sequence == shown or not slot_is_over) then
  -- The entry was admitted, and Redis was lost before that was archived: the rebuild loaded the
  -- entry as waiting, or an older entry of the user.
  redis.call('ZREM', WAITING, user)
  set_waiting_bit(sequence, 0)
  if sequence ~= shown then mark_ended(user, sequence, LEFT, now) end
  state = nil
end
if not state then
  -- find_entry has just ended it; or its slot ended while Redis did not have it.
  if slot_is_over and end_reason(shown) == 0 then mark_ended(user, shown, EXPIRED, now) end
  reason = end_reason(shown)
  if reason > 0 then
    write_log()
    return { 'ENDED', reason, now }
  end
elseif state == 'WAITING' and shown < sequence and not slot_is_over
  and not (is_before_draw(sale, shown) and (is_order_drawn(sale) or is_drawn(sale, sequence)))
then
  -- The user joined again before showing the older ticket: the lower sequence holds, the later
  -- ends.
  redis.call('ZREM', WAITING, user)
  set_waiting_bit(sequence, 0)
  mark_ended(user, sequence, LEFT, now)
  state = nil
end

if not state and is_order_drawn(sale) and is_before_draw(sale, shown) then
  write_log()
  return { 'DRAWN' } -- restored under this sequence, it would be ahead of all drawn entries
elseif not state then
  -- Restores the entry. Slots never exceed the capacity: without a free one, it is admitted first.
  sequence = shown
  log_event('J', shown, user, now)
  redis.call('HDEL', SLOT_ENDS, whole(shown))
  if until_ms == 0 then
    state = 'WAITING'
    redis.call('ZADD', WAITING, whole(shown), user)
    set_waiting_bit(shown, 1)
  elseif redis.call('ZCARD', ACTIVE) < sale.capacity then
    state, deadline = 'ACTIVE', until_ms
    redis.call('ZADD', ACTIVE, whole(until_ms), user)
    redis.call('HSET', PLACE, user, whole(shown))
    log_event('A', shown, user, now, whole(until_ms))
  else
    state = 'RETURNED'
    redis.call('HSET', PLACE, user, whole(shown) .. ' ' .. whole(now + sale.grace_ms))
    redis.call('ZADD', RETURNED, whole(shown), user)
  end
end

write_log()
if state == 'ACTIVE' then return { state, sequence, deadline, now } end
local slot = turn_ring(sale.present_slot, sale.present_since, sale.presence_ms, now)
redis.call('SETBIT', PRESENT[slot], present_bit(sequence), 1)
local ahead = redis.call('ZRANK', state == 'WAITING' and WAITING or RETURNED, user)
return { state, sequence, ahead, now }
