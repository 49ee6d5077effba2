#!lua flags=allow-oom
-- queue/resolve_ticket: what a ticket is worth now. The slow path of a poll, for tickets that do not wait
-- as far as the read model knows.
--
-- A place that ended stays ended. A place that Redis does not know is put back from the signed
-- ticket: the caller has verified the signature, and a loss must cost nobody their place.
-- A slot's end never moves: a ticket that was signed before admission and is shown after a loss brings
-- back the slot that slot_ends names, or its end.
-- Asking is being here, and being seen: it claims a slot, and brings back whoever was passed over.
--
-- KEYS  as lib/queue
-- ARGV  epoch  user  sequence  active_until_ms     active_until_ms: 0 unless the ticket says ACTIVE
-- Reply {'WAITING', sequence, ahead, now}    the sequence in force: the lowest that its owner shows
--       {'RETURNED', sequence, ahead, now}
--       {'ACTIVE', sequence, deadline_ms, now}
--       {'ENDED', reason, now}               1 expired, 2 left, 3 completed
--       {'DRAWN'}     of before the draw, and its owner is not in line: call with the place drawn
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/queue lib/presence lib/entry lib/sale lib/draw
local user, shown, until_ms = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local refused = guard(META, EPOCH)
if refused then return refused end
local now = clock()
local reason = ended(shown)
if reason > 0 then return { 'ENDED', reason, now } end
local sale = load_sale(META)
if until_ms == 0 then
  until_ms = tonumber(redis.call('HGET', SLOT_ENDS, whole(shown)) or 0)
end

local state, sequence, deadline = find(user, now)
local slot_over = until_ms > 0 and until_ms <= now
if not state then
  -- find has just ended it; or its slot ran out while Redis had lost it, and nobody wrote that down.
  if slot_over and ended(shown) == 0 then mark_ended(user, shown, EXPIRED, now) end
  reason = ended(shown)
  if reason > 0 then
    write_log()
    return { 'ENDED', reason, now }
  end
elseif state == 'WAITING' and shown < sequence and not slot_over
  and not (before_draw(sale, shown) and (sale.drawn == 1 or drawn_place(sale, sequence)))
then
  -- Joined again before showing the older ticket: the lower place holds, the later one is over.
  redis.call('ZREM', WAITING, user)
  set_waiting(sequence, 0)
  mark_ended(user, sequence, LEFT, now)
  state = nil
end

if not state and sale.drawn == 1 and before_draw(sale, shown) then
  write_log()
  return { 'DRAWN' } -- put back as it is, it would be ahead of everybody
elseif not state then
  -- Unknown here: put back. Slots never exceed the capacity: without room, first in line instead.
  sequence = shown
  note('J', shown, user, now)
  redis.call('HDEL', SLOT_ENDS, whole(shown))
  if until_ms == 0 then
    state = 'WAITING'
    redis.call('ZADD', WAITING, whole(shown), user)
    set_waiting(shown, 1)
  elseif redis.call('ZCARD', ACTIVE) < sale.capacity then
    state, deadline = 'ACTIVE', until_ms
    redis.call('ZADD', ACTIVE, whole(until_ms), user)
    redis.call('HSET', PLACE, user, whole(shown))
    note('A', shown, user, now, whole(until_ms))
  else
    state = 'RETURNED'
    redis.call('HSET', PLACE, user, whole(shown) .. ' ' .. whole(now + sale.grace_ms))
    redis.call('ZADD', RETURNED, whole(shown), user)
  end
end

write_log()
if state == 'ACTIVE' then return { state, sequence, deadline, now } end
local slot = turn_ring(sale.here_slot, sale.here_since, sale.presence_ms, now)
redis.call('SETBIT', HERE[slot], here_bit(sequence), 1)
local rank = redis.call('ZRANK', state == 'WAITING' and WAITING or RETURNED, user)
return { state, sequence, rank, now }
