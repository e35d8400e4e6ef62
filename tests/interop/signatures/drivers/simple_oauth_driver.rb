# Ruby's simple_oauth
require_relative 'driver'
require 'simple_oauth'

answer_all do |request|
  unless %w[HMAC-SHA1 PLAINTEXT].include?(request['signature_method'])
    raise Unsupported, request['signature_method']
  end

  # Its users hand it a form's fields as pairs.
  form = URI.decode_www_form(request['form'] || '')
  options = %w[consumer_key consumer_secret signature_method timestamp nonce token_secret]
            .to_h { |name| [name.to_sym, request[name]] }
  options[:token] = request['token'] unless request['token'].nil?
  request['extra'].each { |name, value| options[name.delete_prefix('oauth_').to_sym] = value }
  header = SimpleOAuth::Header.new(request['method'], request['url'], form, options)
  header.options.delete(:version) unless request['version']
  [header.send(:signature_base), header.signed_attributes[:oauth_signature]]
end
