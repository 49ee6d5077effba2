-- lib/presence: who was heard from lately, and whose silence counts. After lib/queue.
--
-- Three bitmaps in a ring, each for half a presence window; whoever is in one of them was
-- heard from within the window. Two bits apart so that neighbouring epochs do not share a bit.
local function here_bit(sequence)
  return 2 * (sequence % SPAN) + math.floor(sequence / SPAN) % 2
end
-- Moves the ring on as time passes; returns the slot in use.
local function turn_ring(slot, since, presence_ms, now)
  local half = presence_ms / 2
  local turns = math.floor((now - since) / half)
  if turns < 1 then return slot end
  for _ = 1, math.min(turns, 3) do
    slot = slot % 3 + 1
    redis.call('UNLINK', HERE[slot])
  end
  redis.call('HSET', META, 'here_slot', slot, 'here_since', whole(since + turns * half))
  return slot
end
local function heard(sequence)
  local bit = here_bit(sequence)
  for i = 1, 3 do
    if redis.call('GETBIT', HERE[i], bit) == 1 then return true end
  end
  return false
end

-- The notice: the sequence up to which clients are asked to poll with their own tickets (the public
-- board's poll_from_sequence). Those further back may follow the board alone, so their silence says
-- nothing. A notice is given anew every notice_ms, and silence counts up to the one before. It
-- reaches a minute's admissions ahead, and further while admission has to stop at its end.
local REACH = 20000 -- entries, at least
local function extend_notice(sale, now)
  local notice_ms = math.min(10000, sale.presence_ms / 4)
  if now - sale.notice_at < notice_ms then return end
  local reach = sale.notice_short == 1 and sale.reach * 4 or sale.reach / 2
  reach = math.floor(math.max(REACH, sale.rate * 60, reach))
  local last = redis.call('ZRANGE', WAITING, reach - 1, reach - 1, 'WITHSCORES')
  if not last[2] then last = redis.call('ZRANGE', WAITING, -1, -1, 'WITHSCORES') end
  sale.noticed = sale.notice
  sale.notice = math.max(sale.notice, tonumber(last[2] or 0))
  redis.call('HSET', META, 'noticed', whole(sale.noticed), 'notice', whole(sale.notice),
    'notice_at', whole(now), 'notice_short', 0, 'reach', reach)
end

-- The last sequence whose silence counts: clients up to it were asked to poll long enough ago, and
-- every process that answers polls has merged whom it heard from up to it. Also the processes whose
-- statement (queue/mark_present) is over: they died, or lost touch with Redis.
local function silence_counts_up_to(sale, now)
  local last, over, mergers = sale.noticed, {}, redis.call('HGETALL', MERGERS)
  for i = 1, #mergers, 2 do
    local upto, until_ms = mergers[i + 1]:match('^(%d+) (%d+)$')
    if tonumber(until_ms) <= now then
      over[#over + 1] = mergers[i]
    else
      last = math.min(last, tonumber(upto))
    end
  end
  return last, over
end

-- Admission stops at a silent entry. Where that is beyond the notice in force, the next one reaches
-- further.
local function stop_at(sale, sequence)
  if sequence > sale.noticed then redis.call('HSET', META, 'notice_short', 1) end
  return sequence
end
