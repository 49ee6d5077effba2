-- lib/rounds: the rounds of queue/admit: whether they stalled, and when the next has work.
--
-- After lib/queue, lib/presence and lib/sale.
local MAX_REST = 1000 -- ms; this and the next are far below the shortest stall
local MAX_REST_BEFORE_OPENING = 2000 -- ms
local SHORTEST_STALL = 5000 -- ms
-- How long admission pauses after a stall (ms): as after a loss, PAUSE in src/upkeep/recover.rs.
local STALL_PAUSE = 15000

-- After a stall of Redis or of every process no entry is present, and all would be passed over.
-- Clients near the front first get the time to poll again.
local function pause_after_stall(sale, looked_at, now)
  if now - looked_at > math.max(sale.presence_ms / 3, SHORTEST_STALL) then
    sale.pause_until = math.max(sale.pause_until, now + STALL_PAUSE)
    redis.call('HSET', META, 'pause_until', whole(sale.pause_until))
  end
end

-- The time in ms until something is due by time alone: an entry is overdue, at `due`; or somebody waits, and admission begins, the next token comes or the next notice is set.
-- At most MAX_REST, and twice that long while the sale is not open, since no slot can become free then.
-- Changes by other scripts are not foreseen: the process that ran one calls queue/admit again.
local function find_rest(sale, due, waiting, active, tokens, now)
  local longest = math.min(now + MAX_REST_BEFORE_OPENING, math.max(sale.opens_ms, now + MAX_REST))
  due = math.min(due, longest)
  if waiting + redis.call('ZCARD', RETURNED) > 0 then
    due = math.min(due, sale.notice_at + notice_ms(sale))
    for _, begin in ipairs({ sale.opens_ms, sale.pause_until }) do
      if begin > now then due = math.min(due, begin) end
    end
    if may_admit(sale, now) and active < sale.capacity then
      due = math.min(due, now + math.ceil((1 - tokens) * 1000 / sale.rate))
    end
  end
  return math.max(0, due - now)
end

-- What the metrics show of a sale: the end of queue/admit's reply.
local function describe_sale(sale, blocked, now)
  local recovering, admits = now < sale.pause_until, may_admit(sale, now)
  return {
    sale.capacity, sale.paused, recovering and 1 or 0, admits and 1 or 0,
    sale.seats_total, sale.gone, tonumber(blocked or 0),
  }
end
