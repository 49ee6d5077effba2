-- lib/sale: the phase of a sale, and the token bucket of its admission.
--
-- settings: the fields of meta that SALE names, in that order.
local SALE = {
  'available', 'opens_ms', 'deadline_ms', 'queue_opens_ms', 'seats_total', 'gone', 'paused',
  'pause_until', 'capacity', 'rate', 'tokens', 'tokens_at', 'active_ms', 'claim_ms',
  'presence_ms', 'grace_ms', 'here_slot', 'here_since', 'draw', 'drawn', 'draw_base', 'draw_room',
}
local function load_sale(meta)
  local values = redis.call('HMGET', meta, unpack(SALE))
  local sale = {}
  for i, name in ipairs(SALE) do sale[name] = tonumber(values[i] or 0) end
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
local function tokens_now(sale, now)
  local earned = math.max(0, now - sale.tokens_at) * sale.rate / 1000
  return math.min(math.max(1, sale.rate), sale.tokens + earned)
end
local function save_tokens(meta, tokens, now)
  redis.call('HSET', meta, 'tokens', string.format('%.6f', tokens), 'tokens_at', whole(now))
end
