#!lua flags=allow-oom
-- queue/resolve_many: returns or restores the entries of several waiting tickets, as
-- queue/resolve_ticket does for each. After a loss, tickets restore the entries that the rebuild did not
-- find in PostgreSQL.
--
-- Only for tickets whose entry waits under the ticket's sequence, or is nowhere and has not ended.
-- All others get S: queue/resolve_ticket serves them.
--
-- KEYS  as lib/queue
-- ARGV  epoch  user  sequence  user  sequence …     up to 128 waiting tickets
-- Reply {'OK', outcomes, now, ahead…}    outcomes: a letter for each ticket, in order
--                                          W  waiting
--                                          S  call queue/resolve_ticket for this ticket
--                                        ahead: for each ticket, 0 with S
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/queue lib/presence lib/sale lib/draw
local refused = guard(META, EPOCH)
if refused then return refused end
local now = clock()
local sale = load_sale(META)

local users, sequences = {}, {}
for i = 2, #ARGV, 2 do
  users[#users + 1], sequences[#sequences + 1] = ARGV[i], ARGV[i + 1]
end
local waiting = redis.call('ZMSCORE', WAITING, unpack(users))
local places = redis.call('HMGET', PLACE, unpack(users))
local slot_ends = redis.call('HMGET', SLOT_ENDS, unpack(sequences))
local outcomes, named, scores = {}, {}, {}
local bits = {} -- key → fields of BITFIELD
for i, user in ipairs(users) do
  local sequence = tonumber(sequences[i])
  local is_waiting = tonumber(waiting[i] or nil) == sequence
  local is_known = waiting[i] or places[i] or slot_ends[i] or named[user]
    or is_order_drawn(sale) and is_before_draw(sale, sequence) or end_reason(sequence) > 0
  outcomes[i] = (is_waiting or not is_known) and not named[user] and 'W' or 'S'
  if outcomes[i] == 'W' and not is_waiting then
    scores[#scores + 1], scores[#scores + 2] = sequences[i], user
    log_event('J', sequence, user, now)
    local key = waiting_bits_key(sequence)
    bits[key] = bits[key] or {}
    append(bits[key], 'SET', 'u1', whole(sequence % SPAN), 1)
  end
  named[user] = true
end
if #scores > 0 then
  redis.call('ZADD', WAITING, unpack(scores))
  for key, fields in pairs(bits) do redis.call('BITFIELD', key, unpack(fields)) end
end

local present, reply = {}, { 'OK', table.concat(outcomes), now }
for i, outcome in ipairs(outcomes) do
  local ahead = 0
  if outcome == 'W' then
    ahead = redis.call('ZRANK', WAITING, users[i])
    append(present, 'SET', 'u1', whole(present_bit(tonumber(sequences[i]))), 1)
  end
  reply[#reply + 1] = ahead
end
if #present > 0 then
  local slot = turn_ring(sale.present_slot, sale.present_since, sale.presence_ms, now)
  redis.call('BITFIELD', PRESENT[slot], unpack(present))
end
write_log()
return reply
