-- lib/seats: publishes changes to the readers of the seat map.
--
-- One stream entry per script that changes the map. Its id is the new seat_version, so that a
-- reader detects a missing one at once. The stream is bounded: a reader that fell behind loads the
-- whole map.
local FREE, HELD, GONE = 0, 1, 2

-- changes: a list of 'seat_number:state'. Returns the current seat_version.
local function publish_changes(meta, seatlog, changes)
  if #changes == 0 then return tonumber(redis.call('HGET', meta, 'seat_version') or 0) end
  local version = redis.call('HINCRBY', meta, 'seat_version', 1)
  redis.call('XADD', seatlog, 'MAXLEN', '~', 5000, version .. '-0', 'c', table.concat(changes, ','))
  return version
end
