-- The action "latchkey" of HAProxy: asks the gateway whether a request may pass, and sets the variables of haproxy.cfg.
local CHECK = "http://127.0.0.1:8080/api/auth/check"
local UNAVAILABLE = '{"detail":"Service temporarily unavailable, try again later.","code":"service_unavailable"}'

local function first(headers, name)
  local values = headers and headers[name]
  return values and values[0] or ""
end

core.register_action("latchkey", { "http-req" }, function(txn)
  -- All lines: the gateway refuses more than one.
  local lines = {}
  local received = txn.http:req_get_headers()["authorization"]
  if received then
    for index = 0, #received do lines[#lines + 1] = received[index] end
  end
  local headers = { ["host"] = { "latchkey" } }
  if #lines > 0 then headers["authorization"] = lines end
  local ok, answer = pcall(function()
    return core.httpclient():get({ url = CHECK, headers = headers, timeout = 2000 })
  end)
  local status = ok and answer and answer.status or 0
  txn:set_var("txn.body", UNAVAILABLE)
  txn:set_var("txn.retry", "1")
  if status == 200 then
    txn:set_var("txn.verdict", "allow")
    txn:set_var("txn.subject", first(answer.headers, "x-latchkey-subject"))
    txn:set_var("txn.session", first(answer.headers, "x-latchkey-session"))
    txn:set_var("txn.expires", first(answer.headers, "x-latchkey-expires"))
  elseif status == 401 then
    txn:set_var("txn.verdict", "refuse")
    txn:set_var("txn.challenge", first(answer.headers, "www-authenticate"))
    txn:set_var("txn.body", answer.body or "")
  else
    txn:set_var("txn.verdict", "unknown")
    local retry = first(answer and answer.headers, "retry-after")
    if retry ~= "" then txn:set_var("txn.retry", retry) end
  end
end)
