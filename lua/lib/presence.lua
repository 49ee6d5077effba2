-- lib/presence: which entries are present, and whose silence counts. After lib/queue.
--
-- Three bitmaps form a ring, and each covers half a presence window. An entry in any of them was
-- present within the window. There are two bits per number, so that neighbouring epochs do not
-- share a bit.
local function present_bit(sequence)
  return 2 * (sequence % SPAN) + math.floor(sequence / SPAN) % 2
end
-- Sets the bits of `count` entries with consecutive sequences in one bitmap of the ring. The bits
-- between them belong to neighbouring epochs and stay as they are.
local function set_present_bits(bitmap, first, count)
  local reads, widths, parity = {}, {}, present_bit(first) % 2
  local bit_number = present_bit(first) - parity
  while count > 0 do
    local entries = math.min(count, 16)
    append(reads, 'GET', 'u' .. 2 * entries, whole(bit_number))
    widths[#widths + 1] = entries
    bit_number, count = bit_number + 2 * entries, count - entries
  end
  local writes = {}
  for i, bits in ipairs(redis.call('BITFIELD', bitmap, unpack(reads))) do
    -- 01 for each entry, or 10: the bits of an even epoch come first.
    local added = (4 ^ widths[i] - 1) / 3 * (2 - parity)
    local set = bit.bor(bits, added) % 2 ^ 32
    append(writes, 'SET', reads[3 * i - 1], reads[3 * i], whole(set))
  end
  redis.call('BITFIELD', bitmap, unpack(writes))
end
-- Turns the ring as time passes; returns the slot in use.
local function turn_ring(slot, since, presence_ms, now)
  local half = presence_ms / 2
  local turns = math.floor((now - since) / half)
  if turns < 1 then return slot end
  for _ = 1, math.min(turns, 3) do
    slot = slot % 3 + 1
    redis.call('UNLINK', PRESENT[slot])
  end
  redis.call('HSET', META, 'present_slot', slot, 'present_since', whole(since + turns * half))
  return slot
end
local function is_present(sequence)
  local bit = present_bit(sequence)
  for i = 1, 3 do
    if redis.call('GETBIT', PRESENT[i], bit) == 1 then return true end
  end
  return false
end

-- The notice is the sequence up to which clients are asked to poll with their own tickets (the
-- public board's poll_from_sequence). Clients further back may follow the board alone, so their
-- silence does not count. Every notice_ms a new notice is set, and silence counts up to the
-- previous one. If admission had to stop at the end of the notice, the next one covers four times
-- as much, otherwise half as much; never less than MIN_REACH or the admissions of one minute.
local MIN_REACH = 20000 -- entries
local function notice_ms(sale)
  return math.min(10000, sale.presence_ms / 4)
end
-- `skipped` entries at the head of the queue do not count: a draw has not moved them yet.
local function extend_notice(sale, now, skipped)
  if now - sale.notice_at < notice_ms(sale) then return end
  local reach = sale.notice_short == 1 and sale.reach * 4 or sale.reach / 2
  reach = math.floor(math.max(MIN_REACH, sale.rate * 60, reach))
  local rank = skipped + reach - 1
  local last = redis.call('ZRANGE', WAITING, rank, rank, 'WITHSCORES')
  if not last[2] then last = redis.call('ZRANGE', WAITING, -1, -1, 'WITHSCORES') end
  sale.noticed, sale.notice_at = sale.notice, now
  sale.notice = math.max(sale.notice, tonumber(last[2] or 0))
  redis.call('HSET', META, 'noticed', whole(sale.noticed), 'notice', whole(sale.notice),
    'notice_at', whole(now), 'notice_short', 0, 'reach', reach)
end

-- The last sequence whose silence counts: its client was asked to poll long enough ago, and every
-- process that answers polls has merged the presence of all entries up to it. Also returns the
-- processes whose lease (queue/mark_present) has ended: they died, or lost touch with Redis.
local function find_silence_limit(sale, now)
  local limit, ended, mergers = sale.noticed, {}, redis.call('HGETALL', MERGERS)
  for i = 1, #mergers, 2 do
    local upto, until_ms = mergers[i + 1]:match('^(%d+) (%d+)$')
    if tonumber(until_ms) <= now then
      ended[#ended + 1] = mergers[i]
    else
      limit = math.min(limit, tonumber(upto))
    end
  end
  return limit, ended
end

-- Notes that admission stops at a silent entry. If the entry is beyond the current notice, the
-- next notice covers more entries.
local function note_stop(sale, sequence)
  if sequence > sale.noticed then redis.call('HSET', META, 'notice_short', 1) end
  return sequence
end
