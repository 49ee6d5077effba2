#!lua flags=allow-oom
-- queue/move_drawn: moves entrants from where they joined to the places that they drew.
--
-- PostgreSQL has the places; this is called for a few entrants at a time, in any order, and again
-- for all of them where it was interrupted: whoever stands where they belong is left alone. An
-- entrant whom Redis lost is put in line; one who has left meanwhile stays out. Whoever has joined
-- again after a loss keeps the place of the draw, and the later one is over.
--
-- KEYS  as lib/queue
-- ARGV  epoch  (user  sequence  place)…     sequence: of joining; place: from 1 on
-- Reply {'OK', moved}
--       {'DONE'}     the draw is over: nobody is moved any more
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
local inside = redis.call('HMGET', PLACE, unpack(users))
local slot = turn_ring(sale.here_slot, sale.here_since, sale.presence_ms, now)

local moves = {}
for i, user in ipairs(users) do
  local joined, drawn = tonumber(ARGV[3 * i]), sale.draw_base + ARGV[3 * i + 1]
  local stands = tonumber(waiting[i] or nil)
  if stands ~= drawn and not inside[i] and ended(joined) == 0 and ended(drawn) == 0 then
    if stands then set_waiting(stands, 0) end
    if stands and stands ~= joined then mark_ended(user, stands, LEFT, now) end
    set_waiting(drawn, 1)
    if heard(joined) then redis.call('SETBIT', HERE[slot], here_bit(drawn), 1) end
    moves[#moves + 1] = whole(drawn)
    moves[#moves + 1] = user
  end
end
if #moves > 0 then redis.call('ZADD', WAITING, unpack(moves)) end
write_log()
return { 'OK', #moves / 2 }
