#!lua flags=allow-oom
-- queue/admit: lets in as many as there is room and rate for, in order of sequence.
--
-- Leaderless: every process calls it a few times a second, and however many do, capacity and rate
-- hold, because both are read and written here. Whoever returned within their grace goes first;
-- an entry not heard from within the presence window is passed over and costs no slot. The walk
-- stops at the first silent entry whose silence does not count yet (lib/presence). Bounded: at most
-- 100 let in, 100 passed over and 100 of each kind of overdue per call.
--
-- KEYS  as lib/queue
-- ARGV  epoch
-- Reply {'OK' | 'MORE', admitted, parked, expired, waiting, active, now, next_n, seat_version, stopped}
--       MORE: a bound was reached, call again at once; expired counts those among the parked whose
--       grace was over already; next_n, seat_version: what only rises, so that
--       the caller notices a Redis that went back in time; stopped: the silent entry at which the
--       walk stopped, or 0
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/queue lib/presence lib/entry lib/sale
local BATCH = 100
local refused = guard(META, EPOCH)
if refused then return refused end
local now = clock()
local sale = load_sale(META)
-- After a standstill (of Redis, or of every process) nobody was heard from, and all would be passed
-- over: those near the front first get the time to ask again.
local looked_at = tonumber(redis.call('HGET', META, 'looked_at') or now)
if now - looked_at > math.max(sale.presence_ms / 3, 5000) then
  sale.pause_until = math.max(sale.pause_until, now + 15000)
  redis.call('HSET', META, 'pause_until', whole(sale.pause_until))
end
redis.call('HSET', META, 'looked_at', whole(now))
turn_ring(sale.here_slot, sale.here_since, sale.presence_ms, now)
local admitted, parked, stopped, more = 0, 0, 0, false

local function overdue(key)
  local users = redis.call('ZRANGEBYSCORE', key, '-inf', whole(now), 'LIMIT', 0, BATCH)
  more = more or #users == BATCH
  return users
end

-- Let in, and not seen within the claim window. Before the slots: after a standstill both are
-- overdue, and whoever was never seen is passed over, not thrown out.
local unseen = overdue(CALLED)
for _, user in ipairs(unseen) do
  local sequence, grace = read_place(user)
  redis.call('ZREM', ACTIVE, user)
  redis.call('ZREM', CALLED, user)
  park(user, sequence, grace, sale.grace_ms, now)
end
-- Slots whose time is up; then those passed over and not back within the grace.
for _, key in ipairs({ ACTIVE, PARKED }) do
  for _, user in ipairs(overdue(key)) do finish(user, read_place(user), EXPIRED, now) end
end

local tokens = tokens_now(META, sale, now)
local room = 0
if admits(sale, now) then
  room = math.min(sale.capacity - redis.call('ZCARD', ACTIVE), math.floor(tokens), BATCH)
end

extend_notice(sale, now)
local counts_up_to, over = silence_counts_up_to(sale, now)
if #over > 0 then redis.call('HDEL', MERGERS, unpack(over)) end

local function let_in(user, sequence, grace)
  local deadline = math.min(now + sale.active_ms, sale.deadline_ms)
  redis.call('ZADD', ACTIVE, whole(deadline), user)
  redis.call('ZADD', CALLED, whole(now + sale.claim_ms), user)
  redis.call('HSET', PLACE, user, whole(sequence) .. (grace and ' ' .. whole(grace) or ''))
  note('A', sequence, user, now, whole(deadline))
  admitted = admitted + 1
end

-- Walks a line from its head until the room is used up, BATCH were passed over, or silence does not
-- count yet.
local function walk(key, leave_line)
  local head = redis.call('ZRANGE', key, 0, math.max(room - admitted, 0) + BATCH - 1, 'WITHSCORES')
  for i = 1, #head, 2 do
    if admitted >= room or parked >= BATCH then return end
    local user, sequence = head[i], tonumber(head[i + 1])
    local present = heard(sequence)
    if not present and sequence > counts_up_to then
      stopped = stop_at(sale, sequence)
      return
    end
    local _, grace = read_place(user)
    redis.call('ZREM', key, user)
    leave_line(sequence)
    if present then
      let_in(user, sequence, grace)
    else
      park(user, sequence, grace, sale.grace_ms, now)
      parked = parked + 1
    end
  end
end
if room > 0 then
  walk(RETURNED, function() end)
  walk(WAITING, function(sequence) set_waiting(sequence, 0) end)
end

save_tokens(META, tokens - admitted, now)
if admitted > 0 then redis.call('HINCRBY', META, 'admitted', admitted) end
write_log()
more = more or parked >= BATCH or admitted >= BATCH
local rising = redis.call('HMGET', META, 'next_n', 'seat_version')
return {
  more and 'MORE' or 'OK', admitted, parked + #unseen, lapsed,
  redis.call('ZCARD', WAITING), redis.call('ZCARD', ACTIVE), now,
  tonumber(rising[1] or 0), tonumber(rising[2] or 0), stopped,
}
