#!lua flags=allow-oom
-- queue/load_entries: loads what became of places while a schedule's keys are being rebuilt.
--
-- A place that has ended here already keeps its reason, so repeats and any order do no harm.
--
-- KEYS  as lib/queue
-- ARGV  epoch  lease_ms  'ENDED'  done_epoch  first_byte  bytes     bytes of done:<done_epoch>
--       epoch  lease_ms  'COUNT'  joined_before
--       epoch  lease_ms  'SLOTS'  (sequence ends_ms)…     open places that were admitted
--       epoch  lease_ms  'PAID'  (user sequence)…         places that were paid from: completed
-- Reply {'OK', now}
--       {'READY'}   the rebuilding is over: nothing was loaded
--       {'LOST'} {'STALE', epoch}
-- Uses  lib/guard lib/queue lib/entry lib/rebuild
local now = clock()
local refused = renew_lease(META, EPOCH, ARGV[2], now)
if refused then return refused end

-- Two bits per place; where the old ones say why it ended, they stay.
local function merge(old, new)
  local bytes = {}
  for i = 1, #new do
    local before, after = old:byte(i) or 0, new:byte(i)
    local known = bit.band(bit.bor(before, bit.rshift(before, 1)), 0x55)
    known = bit.bor(known, bit.lshift(known, 1))
    bytes[i] = string.char(bit.bor(before, bit.band(after, bit.bnot(known))))
  end
  return table.concat(bytes)
end

if ARGV[3] == 'ENDED' then
  local key, first, bytes = done_of(ARGV[4] * SPAN), tonumber(ARGV[5]), ARGV[6]
  local old = redis.call('GETRANGE', key, first, first + #bytes - 1)
  if old:find('[^%z]') then bytes = merge(old, bytes) end
  redis.call('SETRANGE', key, first, bytes)
elseif ARGV[3] == 'COUNT' then
  redis.call('HSET', META, 'joined_before', ARGV[4])
elseif ARGV[3] == 'SLOTS' then
  redis.call('HSET', SLOT_ENDS, unpack(ARGV, 4))
else
  for i = 4, #ARGV, 2 do
    local user, sequence = ARGV[i], tonumber(ARGV[i + 1])
    if ended(sequence) == 0 then mark_ended(user, sequence, COMPLETED, now) end
  end
  write_log()
end
return { 'OK', now }
