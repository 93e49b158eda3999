-- Replaces the hash KEYS[1] if it is not newer than what is given.
-- ARGV: epoch, sum, ttl in ms (0: none), then field, value, field, value, ...
-- Returns 1 if it was replaced, 0 if a newer one stays.
-- Numbers are compared as decimal text, by length first: Lua's own are doubles, inexact beyond 2^53.
local function less(a, b)
  if #a ~= #b then return #a < #b end
  return a < b
end

local stored = redis.call('HGET', KEYS[1], '_version')
if stored then
  local epoch, sum = string.match(stored, '^(%d+)%.(%d+)$')
  if epoch and (less(ARGV[1], epoch) or (ARGV[1] == epoch and less(ARGV[2], sum))) then
    return 0
  end
end

local version = ARGV[1] .. '.' .. ARGV[2]
-- A full server refuses a script's first write only: without this one DEL, which it always takes, would let the rest in.
redis.call('HSET', KEYS[1], '_version', version)
-- A script is atomic: nobody sees the key in between. The old time to live goes with the old hash.
redis.call('DEL', KEYS[1])
-- unpack() is bounded by Lua's stack.
for first = 4, #ARGV, 1000 do
  redis.call('HSET', KEYS[1], unpack(ARGV, first, math.min(first + 999, #ARGV)))
end
redis.call('HSET', KEYS[1], '_version', version)
if ARGV[3] ~= '0' then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return 1
