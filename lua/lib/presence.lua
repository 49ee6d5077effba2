-- lib/presence: who was heard from lately. After lib/line.
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
