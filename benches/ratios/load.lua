-- Script for wrk: sends the requests of the file LIST in turn, each with its own headers.
local requests, n, at = {}, 0, 0
for line in io.lines("LIST") do
  local parts = {}
  for part in (line .. "\t"):gmatch("([^\t]*)\t") do parts[#parts + 1] = part end
  local headers = {}
  for i = 4, #parts, 2 do headers[parts[i]] = parts[i + 1] end
  local body = parts[3] ~= "" and parts[3] or nil
  n = n + 1
  requests[n] = wrk.format(parts[1], parts[2], headers, body)
end
function request()
  at = at % n + 1
  return requests[at]
end
function done(summary)
  local errors = summary.errors
  print("ANSWERS " .. summary.requests)
  print("MICROS " .. summary.duration)
  print("STATUS " .. errors.status)
  print("FAILED " .. errors.connect + errors.read + errors.write + errors.timeout)
end
