#!lua
-- queue/join_many: creates entries for several users, in this order, as queue/join does for each.
--
-- Only for users without an entry. Users who have one, or are named twice, get S: queue/join serves
-- them. The settings, the clock and the guard are read once, the new entries get consecutive
-- numbers, and their events are one entry of the log.
--
-- KEYS  as lib/queue
-- ARGV  epoch  user  ask  user  ask …     up to 128 users; ask: as in queue/join
-- Reply {'OK', outcomes, now, sequence, ahead, deadline_ms}
--           outcomes: a letter for each user, in order
--             A  active until deadline_ms
--             W  waiting
--             U  no entry in Redis; only with ask
--             S  call queue/join for this user
--           Entries with A and W have consecutive sequences from `sequence` on, and those with W
--           have `ahead`, `ahead` + 1, … entries before them
--       {'NOT_OPEN', outcomes, opens_ms}   outcomes: as above, and instead of A and W:
--       {'CLOSED', outcomes}                 R  refused
--       {'SOLD_OUT', outcomes} {'UNAVAILABLE', outcomes}
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/queue lib/presence lib/entry lib/sale lib/draw
local refused = guard(META, EPOCH)
if refused then return refused end
local now = clock()
local sale = load_sale(META)

local users, asks = {}, {}
for i = 2, #ARGV, 2 do
  users[#users + 1], asks[#asks + 1] = ARGV[i], ARGV[i + 1]
end
local waiting = redis.call('ZMSCORE', WAITING, unpack(users))
local places = redis.call('HMGET', PLACE, unpack(users))
local outcomes, joining, named = {}, {}, {}
for i, user in ipairs(users) do
  if waiting[i] or places[i] or named[user] then
    outcomes[i] = 'S'
  elseif asks[i] == '1' then
    outcomes[i] = 'U'
  else
    outcomes[i], joining[#joining + 1] = 'W', user
  end
  named[user] = true
end

local refusal = #joining > 0 and refuse_join(sale, now)
if refusal then
  table.insert(refusal, 2, (table.concat(outcomes):gsub('W', 'R')))
  return refusal
end
if #joining == 0 then return { 'OK', table.concat(outcomes), now, 0, 0, 0 } end

close_draw(sale, now)
local first = EPOCH * SPAN + redis.call('HINCRBY', META, 'next_n', #joining) - #joining + 1

-- How many of the new entries are admitted at once: as in queue/join, they pass nobody.
local function count_admissible()
  if not may_admit_new(sale, now) or redis.call('ZCARD', WAITING) > 0
    or redis.call('ZCARD', RETURNED) > 0 then
    return 0
  end
  local room = sale.capacity - redis.call('ZCARD', ACTIVE)
  if room < 1 then return 0 end
  local tokens = read_tokens(META, sale, now)
  local count = math.min(#joining, room, math.floor(tokens))
  if count > 0 then save_tokens(META, tokens - count, now) end
  return count
end
local admitted = count_admissible()
local deadline = math.min(now + sale.active_ms, sale.deadline_ms)

local slots, entries, scores = {}, {}, {}
for i, user in ipairs(joining) do
  local sequence = first + i - 1
  log_event('J', sequence, user, now)
  if i <= admitted then
    append(slots, whole(deadline), user)
    append(entries, user, whole(sequence))
    log_event('A', sequence, user, now, whole(deadline))
  else
    append(scores, sequence, user)
  end
end
if admitted > 0 then
  redis.call('ZADD', ACTIVE, unpack(slots))
  redis.call('HSET', PLACE, unpack(entries))
  redis.call('HINCRBY', META, 'admitted', admitted)
end
local ahead = 0
if admitted < #joining then
  redis.call('ZADD', WAITING, unpack(scores))
  ahead = redis.call('ZCARD', WAITING) - (#joining - admitted)
  local slot = turn_ring(sale.present_slot, sale.present_since, sale.presence_ms, now)
  set_waiting_bits(first + admitted, #joining - admitted)
  set_present_bits(PRESENT[slot], first + admitted, #joining - admitted)
end
write_log()
local left = admitted
for i, outcome in ipairs(outcomes) do
  if outcome == 'W' and left > 0 then outcomes[i], left = 'A', left - 1 end
end
return { 'OK', table.concat(outcomes), now, first, ahead, deadline }
