#!lua
-- seats/claim: claims seats for a hold for 5 s, all or none.
--
-- Only for a user with an active slot, and only up to the limit of seats per user. A claim is only
-- the right to try in PostgreSQL. A seat is free if it is neither sold nor blocked and has no live
-- deadline; a lapsed seat counts as free before it is swept. Two things do not stand in the way of
-- a claim. One is a claim or sale of the same hold: then the request is a repeat, and PostgreSQL
-- returns the result of the first try. The other is the user's own hold past its end, which only
-- keeps others from the seat and can no longer be paid.
--
-- The limit counts what the user has now: live claims, live holds and bought seats.
-- user_seats only lists where to look; claim, holder and held decide. So no count is kept that
-- could drift. The named seats count once, also if they already are the user's.
--
-- KEYS  meta active place called holder held claim sold seatlog buyers user_seats
-- ARGV  epoch  user  sequence  hold_id  limit  seat_number…
-- Reply {'OK', seat_version, now, fresh}   fresh: seats that this call claimed, without those that
--                                          this hold had claimed before
--       {'TAKEN', repeater, seat_number…}  the seats that are taken; repeater: 1 if the user has
--                                          claimed before: this may repeat a request that succeeded
--       {'NOT_ACTIVE'}
--       {'OVER_LIMIT', lapsed}             lapsed: the user's seats of holds past their end, which
--                                          count until PostgreSQL ends the holds
--       {'LOST'} {'STALE', epoch} {'LOADING'}
-- Uses  lib/guard lib/seats lib/user_seats
-- How long a claim lasts (CLAIM_MS in src/seats/model.rs).
local CLAIM_MS = 5000
-- How long held keeps a seat beyond the end of its hold (BEYOND_EXPIRY in src/seats/service.rs).
local BEYOND_MS = 5500
local meta, active, place, called = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local holder, held, claim, sold = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local seatlog, buyers, user_seats = KEYS[9], KEYS[10], KEYS[11]
local user, sequence, hold_id, limit = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local refused = guard(meta, ARGV[1])
if refused then return refused end
local now = clock()

-- The current state of seats. is_kept: other users cannot get it; is_own: kept for this user;
-- hold_id; is_claim: only claimed, PostgreSQL has not decided; kept_until: set for the user's own
-- hold past its end.
local function read_seats(numbers)
  local holders = redis.call('HMGET', holder, unpack(numbers))
  local claims = redis.call('HMGET', claim, unpack(numbers))
  local deadlines = redis.call('ZMSCORE', held, unpack(numbers))
  local found = {}
  for i, number in ipairs(numbers) do
    local deadline = tonumber(deadlines[i] or nil)
    local is_live = deadline and deadline > now
    local is_gone = redis.call('GETBIT', sold, number) == 1
    local owner = parse_holder(holders[i])
    if claims[i] and is_live and not is_gone then owner = parse_claim(claims[i]) end
    found[i] = { is_kept = is_live or is_gone, hold_id = owner.hold_id, is_claim = owner.claimed }
    found[i].is_own = found[i].is_kept and owner.user == user
    local is_past_end = deadline and deadline <= now + BEYOND_MS
    if found[i].is_own and owner.state == 'KEEP' and not is_gone and is_past_end then
      found[i].kept_until = deadline
    end
  end
  return found
end

local numbers = { unpack(ARGV, 6) }
local to_claim, kept_until, taken, named, fresh = {}, {}, {}, {}, 0
for i, seat in ipairs(read_seats(numbers)) do
  local number = numbers[i]
  named[number] = true
  if not seat.is_kept or seat.kept_until then
    to_claim[#to_claim + 1], kept_until[number], fresh = number, seat.kept_until, fresh + 1
  elseif seat.hold_id ~= hold_id then
    taken[#taken + 1] = tonumber(number)
  elseif seat.is_claim then
    to_claim[#to_claim + 1] = number -- this hold's own claim: for 5 s more
  end
end
if #taken > 0 then
  return { 'TAKEN', redis.call('SISMEMBER', buyers, user), unpack(taken) }
end
if #to_claim > 0 then
  local until_ms = redis.call('ZSCORE', active, user)
  local entry = redis.call('HGET', place, user)
  if not until_ms or tonumber(until_ms) <= now or not entry or entry:match('^%d+') ~= sequence then
    return { 'NOT_ACTIVE' }
  end
  local others, own, lapsed = {}, {}, 0
  local listed = redis.call('HGET', user_seats, user)
  for number in (listed or ''):gmatch('%d+') do
    -- Once, though seats/load may have listed it twice.
    if not named[number] then named[number], others[#others + 1] = true, number end
  end
  for i, seat in ipairs(#others > 0 and read_seats(others) or {}) do
    if seat.is_own then own[#own + 1] = others[i] end
    if seat.kept_until then lapsed = lapsed + 1 end
  end
  if fresh > 0 and #own + #numbers > limit then return { 'OVER_LIMIT', lapsed } end
  for _, number in ipairs(numbers) do own[#own + 1] = number end
  redis.call('HSET', user_seats, user, table.concat(own, ' '))
  redis.call('ZREM', called, user)
  redis.call('SADD', buyers, user)
end

local changes = {}
for _, number in ipairs(to_claim) do
  local deadline, beyond = now + CLAIM_MS, kept_until[number]
  local text = format_claim(hold_id, whole(deadline), user, beyond and whole(beyond))
  redis.call('HSET', claim, number, text)
  redis.call('ZADD', held, whole(math.max(deadline, beyond or 0)), number)
  changes[#changes + 1] = number .. ':' .. HELD
end
return { 'OK', publish_changes(meta, seatlog, changes), now, fresh }
