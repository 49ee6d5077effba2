#!lua flags=allow-oom
-- queue/move_drawn: moves entrants from their sequences of joining to their drawn sequences.
--
-- PostgreSQL has the drawn ranks. The caller moves a few entrants per call, in any order, and
-- repeats all of them after an interruption; an entrant at its drawn sequence stays there. An
-- entrant that Redis lost is added to the queue. One that has ended meanwhile stays ended. If a
-- user joined again after a loss, the drawn sequence holds and the later one ends.
--
-- KEYS  as lib/queue
-- ARGV  epoch  (user  sequence  place)…     sequence: of joining; place: the drawn rank, from 1
-- Reply {'OK', moved}
--       {'DONE'}     the draw is over: nothing is moved any more
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/queue lib/presence lib/entry lib/sale
local refused = guard(META, EPOCH)
if refused then return refused end
local now = clock()
local sale = load_sale(META)
if sale.drawn == 1 then return { 'DONE' } end
local users = {}
for i = 2, #ARGV, 3 do users[#users + 1] = ARGV[i] end
local waiting = redis.call('ZMSCORE', WAITING, unpack(users))
local past_waiting = redis.call('HMGET', PLACE, unpack(users))
local slot = turn_ring(sale.here_slot, sale.here_since, sale.presence_ms, now)

local moves = {}
for i, user in ipairs(users) do
  local joined, drawn = tonumber(ARGV[3 * i]), sale.draw_base + ARGV[3 * i + 1]
  local current = tonumber(waiting[i] or nil)
  if current ~= drawn and not past_waiting[i]
    and end_reason(joined) == 0 and end_reason(drawn) == 0
  then
    if current then set_waiting_bit(current, 0) end
    if current and current ~= joined then mark_ended(user, current, LEFT, now) end
    set_waiting_bit(drawn, 1)
    if is_present(joined) then redis.call('SETBIT', PRESENT[slot], present_bit(drawn), 1) end
    moves[#moves + 1] = whole(drawn)
    moves[#moves + 1] = user
  end
end
if #moves > 0 then redis.call('ZADD', WAITING, unpack(moves)) end
write_log()
return { 'OK', #moves / 2 }
