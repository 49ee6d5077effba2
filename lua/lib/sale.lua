-- lib/sale: the phase of a sale, and the token bucket of its admission.
--
-- The settings are one field of meta, as JSON: reading and parsing twenty fields of a hash costs
-- more than the rest of a join. Each value that scripts change has a field of its own.
local LIVE_FIELDS = {
  'settings', 'gone', 'pause_until', 'here_slot', 'here_since', 'drawn', 'draw_base', 'draw_room',
  'notice', 'noticed', 'notice_at', 'notice_short', 'reach',
}
local function load_sale(meta)
  local values = redis.call('HMGET', meta, unpack(LIVE_FIELDS))
  local sale = cjson.decode(values[1])
  for i = 2, #LIVE_FIELDS do sale[LIVE_FIELDS[i]] = tonumber(values[i] or 0) end
  return sale
end

-- The first phase that fits, as clients see it.
local function sale_phase(sale, now)
  if now >= sale.deadline_ms then return 'CLOSED' end
  if now < sale.opens_ms or sale.seats_total == 0 then return 'UPCOMING' end
  if sale.paused == 1 then return 'PAUSED' end
  if sale.gone >= sale.seats_total then return 'SOLD_OUT' end
  return 'OPEN'
end

-- Whether entries may be admitted now. pause_until: after a loss, until old tickets are shown
-- again. draw: nobody is admitted before the queue is in drawn order.
local function may_admit(sale, now)
  return sale_phase(sale, now) == 'OPEN' and sale.available == 1 and now >= sale.pause_until
    and (sale.draw ~= 1 or sale.drawn == 1)
end

-- The tokens in the bucket now: at most one second's worth, with fractions.
local function read_tokens(meta, sale, now)
  local saved = redis.call('HMGET', meta, 'tokens', 'tokens_at')
  local earned = math.max(0, now - (saved[2] or 0)) * sale.rate / 1000
  return math.min(math.max(1, sale.rate), (saved[1] or 0) + earned)
end
local function save_tokens(meta, tokens, now)
  redis.call('HSET', meta, 'tokens', string.format('%.6f', tokens), 'tokens_at', whole(now))
end
