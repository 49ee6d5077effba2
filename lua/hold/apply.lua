#!lua flags=allow-oom
-- hold/apply: what PostgreSQL has decided about seats.
--
-- Applied where its fence is higher than the stored one, over any claim; the fence stays when the
-- seat is free. So repeats, late ones and any order do no harm. Runs while loading too: rebuilding
-- uses it.
--
-- KEYS  meta holder held claim sold seatlog
-- ARGV  epoch  state  hold_id  left_ms  (seat_number fence)…
--       state: KEEP (held for left_ms more), SELL, FREE, BLOCK; hold_id: '-' where there is none
-- Reply {'OK', applied, seat_version}
--       {'LOST'} {'STALE', epoch}
-- Uses  lib/guard lib/seats
local meta, holder, held = KEYS[1], KEYS[2], KEYS[3]
local claim, sold, seatlog = KEYS[4], KEYS[5], KEYS[6]
local state, hold_id, left = ARGV[2], ARGV[3], tonumber(ARGV[4])
local refused = guard(meta, ARGV[1])
if refused and refused[1] ~= 'LOADING' then return refused end
local now = clock()
local shown = (state == 'SELL' or state == 'BLOCK') and GONE
  or (state == 'KEEP' and left > 0) and HELD or FREE

local changes, gone, blocked = {}, 0, 0
for i = 5, #ARGV, 2 do
  local seat, fence = ARGV[i], tonumber(ARGV[i + 1])
  local before, was = (redis.call('HGET', holder, seat) or '0 FREE -'):match('^(%d+) (%S+)')
  if fence > tonumber(before) then
    redis.call('HSET', holder, seat, ARGV[i + 1] .. ' ' .. state .. ' ' .. hold_id)
    redis.call('HDEL', claim, seat)
    if shown == HELD then
      redis.call('ZADD', held, whole(now + left), seat)
    else
      redis.call('ZREM', held, seat)
    end
    local was_gone = redis.call('SETBIT', sold, seat, shown == GONE and 1 or 0)
    gone = gone + (shown == GONE and 1 or 0) - was_gone
    blocked = blocked + (state == 'BLOCK' and 1 or 0) - (was == 'BLOCK' and 1 or 0)
    changes[#changes + 1] = seat .. ':' .. shown
  end
end
if gone ~= 0 then redis.call('HINCRBY', meta, 'gone', gone) end
if blocked ~= 0 then redis.call('HINCRBY', meta, 'blocked', blocked) end
return { 'OK', #changes, publish(meta, seatlog, changes) }
