#!lua flags=allow-oom
-- queue/load_entries: loads queue entries during a rebuild: waiting ones, ended ones, slot ends, paid
-- ones.
--
-- An entry that has already ended in Redis keeps its reason. A user who has several waiting entries
-- gets the first one that is loaded. Repeats do no harm.
--
-- KEYS  as lib/queue
-- ARGV  epoch  lease_ms  'ENDED'  done_epoch  first_byte  bytes     bytes of done:<done_epoch>
--       epoch  lease_ms  'COUNT'  joined_before
--       epoch  lease_ms  'SLOTS'  (sequence ends_ms)…     open entries that were admitted
--       epoch  lease_ms  'WAITING'  (user sequence)…      entries that were never admitted
--       epoch  lease_ms  'PAID'  (user sequence)…         entries that were paid from: completed
-- Reply {'OK', now}
--       {'READY'}   the rebuild is over: nothing was loaded
--       {'LOST'} {'STALE', epoch}
-- Uses  lib/guard lib/queue lib/entry lib/rebuild
local lease_ms, kind = ARGV[2], ARGV[3]
local now = clock()
local refused = renew_lease(META, EPOCH, lease_ms, now)
if refused then return refused end

-- Merges two bits per entry. A reason in the old bytes stays.
local function merge(old, new)
  local bytes = {}
  for i = 1, #new do
    local before, after = old:byte(i) or 0, new:byte(i)
    local has_reason = bit.band(bit.bor(before, bit.rshift(before, 1)), 0x55)
    has_reason = bit.bor(has_reason, bit.lshift(has_reason, 1))
    bytes[i] = string.char(bit.bor(before, bit.band(after, bit.bnot(has_reason))))
  end
  return table.concat(bytes)
end

-- Adds waiting entries. No 'J' events: PostgreSQL has the entries.
local function load_waiting(users, sequences)
  local known = redis.call('ZMSCORE', WAITING, unpack(users))
  local scores, named = {}, {}
  local first, count = 0, 0 -- a run of consecutive sequences whose bits are not set yet
  for i, user in ipairs(users) do
    if not known[i] and not named[user] then
      named[user] = true
      local sequence = tonumber(sequences[i])
      append(scores, sequences[i], user)
      if sequence ~= first + count then
        if count > 0 then set_waiting_bits(first, count) end
        first, count = sequence, 0
      end
      count = count + 1
    end
  end
  if count == 0 then return end
  set_waiting_bits(first, count)
  redis.call('ZADD', WAITING, unpack(scores))
end

-- Ends an entry that was paid from. It may have been loaded as waiting: Redis was lost before the
-- admission was archived.
local function load_paid(user, sequence)
  if end_reason(sequence) > 0 then return end
  if tonumber(redis.call('ZSCORE', WAITING, user) or nil) == sequence then
    redis.call('ZREM', WAITING, user)
    set_waiting_bit(sequence, 0)
  end
  mark_ended(user, sequence, COMPLETED, now)
end

if kind == 'ENDED' then
  local key, first, bytes = done_key(ARGV[4] * SPAN), tonumber(ARGV[5]), ARGV[6]
  local old = redis.call('GETRANGE', key, first, first + #bytes - 1)
  if old:find('[^%z]') then bytes = merge(old, bytes) end
  redis.call('SETRANGE', key, first, bytes)
elseif kind == 'COUNT' then
  redis.call('HSET', META, 'joined_before', ARGV[4])
elseif kind == 'SLOTS' then
  redis.call('HSET', SLOT_ENDS, unpack(ARGV, 4))
elseif kind == 'WAITING' then
  local users, sequences = {}, {}
  for i = 4, #ARGV, 2 do
    users[#users + 1], sequences[#sequences + 1] = ARGV[i], ARGV[i + 1]
  end
  load_waiting(users, sequences)
else
  for i = 4, #ARGV, 2 do load_paid(ARGV[i], tonumber(ARGV[i + 1])) end
  write_log()
end
return { 'OK', now }
