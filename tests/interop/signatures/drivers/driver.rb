# What the Ruby drivers share: requests in, answers out, a line of JSON each.
require 'json'

# What the implementation has no means to express, whatever the request.
class Unsupported < StandardError
end

def answer_all
  $stdin.each_line do |line|
    request = JSON.parse(line)
    reply = { id: request['id'] }
    begin
      reply[:base_string], reply[:signature] = yield request
    rescue Unsupported => e
      reply[:unsupported] = e.message
    rescue StandardError => e
      reply[:refusal] = "#{e.class}: #{e.message}"
    end
    puts JSON.generate(reply)
  end
end
