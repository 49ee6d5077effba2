#!lua flags=allow-oom
-- queue/admit: admits entries in order of sequence, as capacity and rate allow.
--
-- There is no leader: every process calls it a few times a second. Capacity and rate hold with any
-- number of processes, because both are read and written here. Entries that returned within their
-- grace are admitted first. An entry that did not poll within the presence window is passed over
-- and costs no slot. Admission stops at the first silent entry whose silence does not count yet
-- (lib/presence). Bounded: a call admits at most 100 entries, passes over 100, and ends 100 of each
-- kind of overdue entry.
--
-- KEYS  as lib/queue
-- ARGV  epoch
-- Reply {'OK' | 'MORE', admitted, parked, expired, waiting, active, now, next_n, seat_version, stopped}
--       MORE: a bound was reached, call again at once
--       expired: entries ended by time, also those that were passed over with their grace over
--       next_n, seat_version: they only rise, so the caller detects a Redis that went back in time
--       stopped: the silent entry at which admission stopped, or 0
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/queue lib/presence lib/entry lib/sale
local BATCH = 100
local refused = guard(META, EPOCH)
if refused then return refused end
local now = clock()
local sale = load_sale(META)
-- After a stall of Redis or of every process no entry is present, and all would be passed
-- over. Clients near the front first get the time to poll again.
local looked_at = tonumber(redis.call('HGET', META, 'looked_at') or now)
if now - looked_at > math.max(sale.presence_ms / 3, 5000) then
  sale.pause_until = math.max(sale.pause_until, now + 15000)
  redis.call('HSET', META, 'pause_until', whole(sale.pause_until))
end
redis.call('HSET', META, 'looked_at', whole(now))
turn_ring(sale.here_slot, sale.here_since, sale.presence_ms, now)
local admitted, parked, stopped, more = 0, 0, 0, false

local function find_overdue(key)
  local users = redis.call('ZRANGEBYSCORE', key, '-inf', whole(now), 'LIMIT', 0, BATCH)
  more = more or #users == BATCH
  return users
end

-- Admitted, and not seen within the claim window. These come before the ended slots: after a
-- stall both are overdue, and an entry that was never seen is passed over, not ended.
local unseen = find_overdue(CALLED)
for _, user in ipairs(unseen) do
  local sequence, grace = read_entry(user)
  redis.call('ZREM', ACTIVE, user)
  redis.call('ZREM', CALLED, user)
  park_entry(user, sequence, grace, sale.grace_ms, now)
end
-- Slots that have ended; then passed-over entries that did not return within the grace.
for _, key in ipairs({ ACTIVE, PARKED }) do
  for _, user in ipairs(find_overdue(key)) do end_entry(user, read_entry(user), EXPIRED, now) end
end

local tokens = read_tokens(META, sale, now)
local room = 0
if may_admit(sale, now) then
  room = math.min(sale.capacity - redis.call('ZCARD', ACTIVE), math.floor(tokens), BATCH)
end

extend_notice(sale, now)
local silence_limit, ended_mergers = find_silence_limit(sale, now)
if #ended_mergers > 0 then redis.call('HDEL', MERGERS, unpack(ended_mergers)) end

local function admit_entry(user, sequence, grace)
  local deadline = math.min(now + sale.active_ms, sale.deadline_ms)
  redis.call('ZADD', ACTIVE, whole(deadline), user)
  redis.call('ZADD', CALLED, whole(now + sale.claim_ms), user)
  redis.call('HSET', PLACE, user, whole(sequence) .. (grace and ' ' .. whole(grace) or ''))
  log_event('A', sequence, user, now, whole(deadline))
  admitted = admitted + 1
end

-- Walks over a sorted set from its head, until no slot is free, BATCH entries were passed over, or
-- silence does not count yet.
local function walk(key, on_removed)
  local head = redis.call('ZRANGE', key, 0, math.max(room - admitted, 0) + BATCH - 1, 'WITHSCORES')
  for i = 1, #head, 2 do
    if admitted >= room or parked >= BATCH then return end
    local user, sequence = head[i], tonumber(head[i + 1])
    local present = is_present(sequence)
    if not present and sequence > silence_limit then
      stopped = note_stop(sale, sequence)
      return
    end
    local _, grace = read_entry(user)
    redis.call('ZREM', key, user)
    on_removed(sequence)
    if present then
      admit_entry(user, sequence, grace)
    else
      park_entry(user, sequence, grace, sale.grace_ms, now)
      parked = parked + 1
    end
  end
end
if room > 0 then
  walk(RETURNED, function() end)
  walk(WAITING, function(sequence) set_waiting_bit(sequence, 0) end)
end

save_tokens(META, tokens - admitted, now)
if admitted > 0 then redis.call('HINCRBY', META, 'admitted', admitted) end
write_log()
more = more or parked >= BATCH or admitted >= BATCH
local rising = redis.call('HMGET', META, 'next_n', 'seat_version')
return {
  more and 'MORE' or 'OK', admitted, parked + #unseen, expired_count,
  redis.call('ZCARD', WAITING), redis.call('ZCARD', ACTIVE), now,
  tonumber(rising[1] or 0), tonumber(rising[2] or 0), stopped,
}
