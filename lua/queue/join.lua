#!lua
-- queue/join: gives a user the one place that they have in this line.
--
-- Whoever has a place keeps it, whatever the sale has come to since. A new one is let straight in
-- only if nobody could feel passed over: the sale is open, there is room and a token, and nobody
-- waits. Otherwise the next number is theirs. Joining is being here.
--
-- After a loss somebody may have a place that nobody has shown a ticket of: with `ask` those who have
-- none here are not given one yet, since PostgreSQL may know of theirs.
--
-- KEYS  as lib/queue
-- ARGV  epoch  user  ask     ask: 1, else 0
-- Reply {'WAITING', sequence, ahead, now, new}     new: 1 if this call made the place, else 0
--       {'RETURNED', sequence, ahead, now, new}    back within the grace: let in before all others
--       {'ACTIVE', sequence, deadline_ms, now, new}
--       {'UNKNOWN'}     has no place here; only where asked for
--       {'NOT_OPEN', opens_ms} {'CLOSED'} {'SOLD_OUT'} {'UNAVAILABLE'}
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/queue lib/presence lib/entry lib/sale lib/draw
local user = ARGV[2]
local refused = guard(META, EPOCH)
if refused then return refused end
local now = clock()
local sale = load_sale(META)

local function be_here(sequence)
  local slot = turn_ring(sale.here_slot, sale.here_since, sale.presence_ms, now)
  redis.call('SETBIT', HERE[slot], here_bit(sequence), 1)
end

local state, sequence, deadline = find(user, now)
if state == 'ACTIVE' then
  return { state, sequence, deadline, now, 0 }
elseif state then
  be_here(sequence)
  local rank = redis.call('ZRANK', state == 'WAITING' and WAITING or RETURNED, user)
  return { state, sequence, rank, now, 0 }
end

if ARGV[3] == '1' then
  write_log() -- find may have ended an old place
  return { 'UNKNOWN' }
end
local in_phase = phase(sale, now)
local refusal
if sale.available ~= 1 then refusal = { 'UNAVAILABLE' }
elseif now < sale.queue_opens_ms then refusal = { 'NOT_OPEN', sale.queue_opens_ms }
elseif in_phase == 'CLOSED' then refusal = { 'CLOSED' }
elseif in_phase == 'SOLD_OUT' then refusal = { 'SOLD_OUT' } end
if refusal then
  write_log() -- find may have ended an old place
  return refusal
end

shut_draw(sale, now)
sequence = EPOCH * SPAN + redis.call('HINCRBY', META, 'next_n', 1)
note('J', sequence, user, now)
if admits(sale, now)
  and redis.call('ZCARD', WAITING) == 0
  and redis.call('ZCARD', RETURNED) == 0
  and redis.call('ZCARD', ACTIVE) < sale.capacity
then
  local tokens = tokens_now(META, sale, now)
  if tokens >= 1 then
    save_tokens(META, tokens - 1, now)
    deadline = math.min(now + sale.active_ms, sale.deadline_ms)
    redis.call('ZADD', ACTIVE, whole(deadline), user)
    redis.call('HSET', PLACE, user, whole(sequence))
    redis.call('HINCRBY', META, 'admitted', 1)
    note('A', sequence, user, now, whole(deadline))
    write_log()
    return { 'ACTIVE', sequence, deadline, now, 1 }
  end
end

redis.call('ZADD', WAITING, sequence, user)
set_waiting(sequence, 1)
be_here(sequence)
write_log()
return { 'WAITING', sequence, redis.call('ZCARD', WAITING) - 1, now, 1 }
