#!lua
-- queue/ticket: what a ticket is worth now. The slow path of a poll, for tickets that do not wait
-- as far as the read model knows.
--
-- A place that ended stays ended. A place that Redis does not know is put back from the signed
-- ticket: the caller has verified the signature, and a loss must cost nobody their place.
-- Asking is being here, and being seen: it claims a slot, and brings back whoever was passed over.
--
-- KEYS  as lib/line
-- ARGV  epoch  user  sequence  active_until_ms     active_until_ms: 0 unless the ticket says ACTIVE
-- Reply {'WAITING', sequence, ahead, now}    the sequence in force: the lowest that its owner shows
--       {'RETURNED', sequence, ahead, now}
--       {'ACTIVE', sequence, deadline_ms, now}
--       {'ENDED', reason, now}               1 expired, 2 left, 3 completed
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/line lib/presence lib/place lib/sale
local user, shown, until_ms = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local refused = guard(META, EPOCH)
if refused then return refused end
local now = clock()
local reason = ended(shown)
if reason > 0 then return { 'ENDED', reason, now } end
local sale = load_sale(META)

local state, sequence, deadline = find(user, now)
if not state and ended(shown) > 0 then -- find has just ended it
  write_log()
  return { 'ENDED', ended(shown), now }
end

local function wait_at(place)
  redis.call('ZADD', WAITING, whole(place), user)
  set_waiting(place, 1)
  return 'WAITING', place
end

if not state then
  -- Unknown here: put back. Slots never exceed the capacity: without room, first in line instead.
  note('J', shown, user, now)
  if until_ms <= now then
    state, sequence = wait_at(shown)
  elseif redis.call('ZCARD', ACTIVE) < sale.capacity then
    redis.call('ZADD', ACTIVE, whole(until_ms), user)
    redis.call('HSET', PLACE, user, whole(shown))
    note('A', shown, user, now)
    state, sequence, deadline = 'ACTIVE', shown, until_ms
  else
    redis.call('HSET', PLACE, user, whole(shown) .. ' ' .. whole(now + sale.grace_ms))
    redis.call('ZADD', RETURNED, whole(shown), user)
    state, sequence = 'RETURNED', shown
  end
elseif state == 'WAITING' and shown < sequence then
  -- Joined again before showing the older ticket: the lower place holds, the later one is over.
  set_waiting(sequence, 0)
  mark_ended(user, sequence, LEFT, now)
  note('J', shown, user, now)
  state, sequence = wait_at(shown)
end

write_log()
if state == 'ACTIVE' then return { state, sequence, deadline, now } end
local slot = turn_ring(sale.here_slot, sale.here_since, sale.presence_ms, now)
redis.call('SETBIT', HERE[slot], here_bit(sequence), 1)
local rank = redis.call('ZRANK', state == 'WAITING' and WAITING or RETURNED, user)
return { state, sequence, rank, now }
