# Ruby's oauth, signing a request of Net::HTTP
require_relative 'driver'
require 'net/http'
require 'oauth'

answer_all do |request|
  raise Unsupported, 'a request without oauth_version' unless request['version']
  unless OAuth::Signature.available_methods.key?(request['signature_method'].downcase)
    raise Unsupported, request['signature_method']
  end

  target = request['url'].sub(%r{\A[^:]*://[^/?]*}, '')
  target = "/#{target}" unless target.start_with?('/')
  http = Net::HTTPGenericRequest.new(request['method'], !request['form'].nil?, true, target)
  unless request['form'].nil?
    http.content_type = 'application/x-www-form-urlencoded'
    http.body = request['form']
  end
  options = {
    request_uri: request['url'],
    consumer: OAuth::Consumer.new(request['consumer_key'], request['consumer_secret']),
    token: request['token'] && OAuth::Token.new(request['token'], request['token_secret']),
    signature_method: request['signature_method'],
    timestamp: request['timestamp'],
    nonce: request['nonce'],
    **request['extra'].transform_keys(&:to_sym)
  }
  helper = OAuth::Client::Helper.new(http, options)
  [helper.signature_base_string, helper.signature(parameters: helper.oauth_parameters)]
end
