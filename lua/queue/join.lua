#!lua
-- queue/join: finds the user's queue entry, or creates it.
--
-- A user with an entry keeps it, in any phase of the sale. A new entry is admitted at once only if
-- it passes nobody: the sale is open, a slot and a token are free, and nobody waits. Otherwise it
-- gets the next number and waits. A join marks the entry as present.
--
-- After a loss a user may have an entry whose ticket was not shown yet. With ask = 1, a user without
-- an entry in Redis gets UNKNOWN instead of a new entry, because PostgreSQL may have the old one.
--
-- KEYS  as lib/queue
-- ARGV  epoch  user  ask     ask: 1, else 0
-- Reply {'WAITING', sequence, ahead, now, new}     new: 1 if this call created the entry, else 0
--       {'RETURNED', sequence, ahead, now, new}    returned within the grace: admitted first
--       {'ACTIVE', sequence, deadline_ms, now, new}
--       {'UNKNOWN'}     the user has no entry in Redis; only with ask
--       {'NOT_OPEN', opens_ms} {'CLOSED'} {'SOLD_OUT'} {'UNAVAILABLE'}
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/queue lib/presence lib/entry lib/sale lib/draw
local user, ask = ARGV[2], ARGV[3]
local refused = guard(META, EPOCH)
if refused then return refused end
local now = clock()
local sale = load_sale(META)

local function mark_present(sequence)
  local slot = turn_ring(sale.present_slot, sale.present_since, sale.presence_ms, now)
  redis.call('SETBIT', PRESENT[slot], present_bit(sequence), 1)
end

local state, sequence, deadline = find_entry(user, now)
if state == 'ACTIVE' then
  return { state, sequence, deadline, now, 0 }
elseif state then
  mark_present(sequence)
  local ahead = redis.call('ZRANK', state == 'WAITING' and WAITING or RETURNED, user)
  return { state, sequence, ahead, now, 0 }
end

if ask == '1' then
  write_log() -- find_entry may have ended an entry
  return { 'UNKNOWN' }
end
local refusal = refuse_join(sale, now)
if refusal then
  write_log() -- find_entry may have ended an entry
  return refusal
end

close_draw(sale, now)
sequence = EPOCH * SPAN + redis.call('HINCRBY', META, 'next_n', 1)
log_event('J', sequence, user, now)
if may_admit_new(sale, now)
  and redis.call('ZCARD', WAITING) == 0
  and redis.call('ZCARD', RETURNED) == 0
  and redis.call('ZCARD', ACTIVE) < sale.capacity
then
  local tokens = read_tokens(META, sale, now)
  if tokens >= 1 then
    save_tokens(META, tokens - 1, now)
    deadline = math.min(now + sale.active_ms, sale.deadline_ms)
    redis.call('ZADD', ACTIVE, whole(deadline), user)
    redis.call('HSET', PLACE, user, whole(sequence))
    redis.call('HINCRBY', META, 'admitted', 1)
    log_event('A', sequence, user, now, whole(deadline))
    write_log()
    return { 'ACTIVE', sequence, deadline, now, 1 }
  end
end

redis.call('ZADD', WAITING, sequence, user)
set_waiting_bit(sequence, 1)
mark_present(sequence)
write_log()
return { 'WAITING', sequence, redis.call('ZCARD', WAITING) - 1, now, 1 }
