-- lib/sale: the phase of a sale, and the token bucket of its admission.
--
-- Settings are one field of meta, as JSON: reading and parsing twenty fields of a hash cost more
-- than all else that a join does. What scripts change themselves has a field each.
local LIVE = {
  'settings', 'gone', 'pause_until', 'here_slot', 'here_since', 'drawn', 'draw_base', 'draw_room',
  'notice', 'noticed', 'notice_at', 'notice_short', 'reach',
}
local function load_sale(meta)
  local values = redis.call('HMGET', meta, unpack(LIVE))
  local sale = cjson.decode(values[1])
  for i = 2, #LIVE do sale[LIVE[i]] = tonumber(values[i] or 0) end
  return sale
end

-- The first that fits, as clients are told it.
local function phase(sale, now)
  if now >= sale.deadline_ms then return 'CLOSED' end
  if now < sale.opens_ms or sale.seats_total == 0 then return 'UPCOMING' end
  if sale.paused == 1 then return 'PAUSED' end
  if sale.gone >= sale.seats_total then return 'SOLD_OUT' end
  return 'OPEN'
end

-- Whether anybody may be let in now. pause_until: after a loss, until old tickets have come back.
-- draw: nobody before every entrant stands where they were drawn.
local function admits(sale, now)
  return phase(sale, now) == 'OPEN' and sale.available == 1 and now >= sale.pause_until
    and (sale.draw ~= 1 or sale.drawn == 1)
end

-- Tokens there are now: at most one second's worth is ever saved up; fractions are carried.
local function tokens_now(meta, sale, now)
  local saved = redis.call('HMGET', meta, 'tokens', 'tokens_at')
  local earned = math.max(0, now - (saved[2] or 0)) * sale.rate / 1000
  return math.min(math.max(1, sale.rate), (saved[1] or 0) + earned)
end
local function save_tokens(meta, tokens, now)
  redis.call('HSET', meta, 'tokens', string.format('%.6f', tokens), 'tokens_at', whole(now))
end
