-- lib/sale: the phase of a sale, and the token bucket of its admission.
--
-- The settings are one field of meta, as JSON: reading and parsing twenty fields of a hash costs
-- more than the rest of a join. Each value that scripts change has a field of its own.
local LIVE_FIELDS = {
  'settings', 'gone', 'pause_until', 'present_slot', 'present_since', 'drawn', 'draw_base', 'draw_room',
  'drawn_upto', 'notice', 'noticed', 'notice_at', 'notice_short', 'reach',
}
local function load_sale(meta)
  local values = redis.call('HMGET', meta, unpack(LIVE_FIELDS))
  local sale = cjson.decode(values[1])
  for i = 2, #LIVE_FIELDS do sale[LIVE_FIELDS[i]] = tonumber(values[i] or 0) end
  return sale
end

-- The first phase that fits, as clients see it (SaleState::phase in src/concert/model.rs).
local function sale_phase(sale, now)
  if now >= sale.deadline_ms then return 'CLOSED' end
  if now < sale.opens_ms or sale.seats_total == 0 then return 'UPCOMING' end
  if sale.paused == 1 then return 'PAUSED' end
  if sale.gone >= sale.seats_total then return 'SOLD_OUT' end
  return 'OPEN'
end

-- The reply to users who join when nobody can; nil if users can join.
local function refuse_join(sale, now)
  if sale.available ~= 1 then return { 'UNAVAILABLE' } end
  if now < sale.queue_opens_ms then return { 'NOT_OPEN', sale.queue_opens_ms } end
  local phase = sale_phase(sale, now)
  if phase == 'CLOSED' then return { 'CLOSED' } end
  if phase == 'SOLD_OUT' then return { 'SOLD_OUT' } end
  return nil
end

-- Whether a draw is not over. While it moves the queue, entries up to drawn_upto are in place.
local function is_draw_pending(sale) return sale.draw == 1 and sale.drawn ~= 1 end

-- Whether entries that are in place may be admitted now. pause_until: after a loss, until old
-- tickets are shown again.
local function may_admit(sale, now)
  return sale_phase(sale, now) == 'OPEN' and sale.available == 1 and now >= sale.pause_until
    and (not is_draw_pending(sale) or sale.drawn_upto > 0)
end

-- Whether a new entry may be admitted at once, if nobody waits. Never before the end of a draw: an
-- entrant that Redis lost is put back by the draw.
local function may_admit_new(sale, now)
  return not is_draw_pending(sale) and may_admit(sale, now)
end

-- The tokens in the bucket now: at most one second's worth, with fractions.
local function count_tokens(sale, saved, saved_at, now)
  local earned = math.max(0, now - (saved_at or 0)) * sale.rate / 1000
  return math.min(math.max(1, sale.rate), (saved or 0) + earned)
end
local function read_tokens(meta, sale, now)
  local saved = redis.call('HMGET', meta, 'tokens', 'tokens_at')
  return count_tokens(sale, saved[1], saved[2], now)
end
-- Further fields of meta and their values are written along.
local function save_tokens(meta, tokens, now, ...)
  redis.call('HSET', meta, 'tokens', string.format('%.6f', tokens), 'tokens_at', whole(now), ...)
end
