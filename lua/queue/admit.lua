#!lua flags=allow-oom
-- queue/admit: admits entries in order of sequence, as capacity and rate allow.
--
-- There is no leader: every process calls it, ten times a second while there is work and once in a
-- second or two otherwise (lib/rounds). Capacity and rate hold with any number of processes, because both
-- are read and written here. Entries that returned within their grace are admitted first. An entry
-- that did not poll within the presence window is passed over and costs no slot. Admission stops at
-- the first silent entry whose silence does not count yet (lib/presence). While a draw moves the
-- queue, the entries that are in drawn order are admitted, and no others. Bounded: a call admits at
-- most 100 entries, passes over 100, and ends 100 of each kind of overdue entry.
--
-- KEYS  as lib/queue
-- ARGV  epoch
-- Reply {'OK' | 'MORE', admitted, parked, expired, waiting, active, now, next_n, seat_version, stopped,
--        rest_ms, log_length, capacity, paused, recovering, admits, seats_total, gone, blocked}
--       MORE: a bound was reached, call again at once
--       expired: entries ended by time, also those that were passed over with their grace over
--       next_n, seat_version: they only rise, so the caller detects a Redis that went back in time
--       stopped: the silent entry at which admission stopped, or 0
--       rest_ms: for how long nothing is due by time; 0 if this call changed or stopped at an entry
--       log_length: entries of the log that are not archived yet
--       paused, recovering, admits: 0 or 1: paused by an administrator; paused after a loss or a stall;
--       nothing but slots, tokens and silence keeps entries from being admitted
--       gone: sold or blocked seats; blocked: those of them that are blocked
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/queue lib/presence lib/entry lib/sale lib/rounds lib/draw
local BATCH = 100
local refused = guard(META, EPOCH)
if refused then return refused end
local now = clock()
local sale = load_sale(META)
local looked_at, saved, saved_at, next_n, seat_version, blocked = unpack(
  redis.call('HMGET', META, 'looked_at', 'tokens', 'tokens_at', 'next_n', 'seat_version', 'blocked'))
pause_after_stall(sale, tonumber(looked_at or now), now)
turn_ring(sale.present_slot, sale.present_since, sale.presence_ms, now)
-- due: when the next entry is overdue.
local admitted, parked, stopped, more, due = 0, 0, 0, false, math.huge

local function find_overdue(key)
  due = math.min(due, tonumber(redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2] or due))
  if due > now then return {} end
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

local tokens = count_tokens(sale, saved, saved_at, now)
local free = sale.capacity - redis.call('ZCARD', ACTIVE)
local room = may_admit(sale, now) and math.min(free, math.floor(tokens), BATCH) or 0

local unmoved, last_ordered = count_unmoved(sale), find_last_ordered(sale)
extend_notice(sale, now, unmoved)
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

-- Walks over a sorted set from rank `first`, until no slot is free, BATCH entries were passed over,
-- or silence does not count yet.
local function walk(key, first, on_removed)
  local last = first + math.max(room - admitted, 0) + BATCH - 1
  local head = redis.call('ZRANGE', key, first, last, 'WITHSCORES')
  for i = 1, #head, 2 do
    local user, sequence = head[i], tonumber(head[i + 1])
    if admitted >= room or parked >= BATCH or sequence > last_ordered then return end
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
  walk(RETURNED, 0, function() end)
  walk(WAITING, unmoved, function(sequence) set_waiting_bit(sequence, 0) end)
end

save_tokens(META, tokens - admitted, now, 'looked_at', whole(now))
if admitted > 0 then redis.call('HINCRBY', META, 'admitted', admitted) end
write_log()
more = more or parked >= BATCH or admitted >= BATCH
local waiting, active = redis.call('ZCARD', WAITING), redis.call('ZCARD', ACTIVE)
local rest = admitted + parked + stopped == 0 and find_rest(sale, due, waiting, active, tokens, now) or 0
return {
  more and 'MORE' or 'OK', admitted, parked + #unseen, expired_count, waiting, active, now,
  tonumber(next_n or 0), tonumber(seat_version or 0), stopped, rest, redis.call('XLEN', LOG),
  unpack(describe_sale(sale, blocked, now)),
}
