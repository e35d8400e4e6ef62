# Perl's Net::OAuth
use v5.32;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Driver;
use Net::OAuth;
use WWW::Form::UrlEncoded 'parse_urlencoded';

# A warning of its own, about each request with bytes that are not ASCII.
$Net::OAuth::SKIP_UTF8_DOUBLE_ENCODE_CHECK = 1;
$Net::OAuth::PROTOCOL_VERSION = Net::OAuth::PROTOCOL_VERSION_1_0A;

Driver::answer_all(sub {
    my ($request) = @_;
    my $method = $request->{signature_method};
    Driver::unsupported('a request without oauth_version') unless $request->{version};
    Driver::unsupported($method) if $method eq 'HMAC-SHA512';
    my %extra = %{ $request->{extra} };
    Driver::unsupported('oauth_body_hash') if exists $extra{oauth_body_hash};
    my $kind = exists $extra{oauth_callback} ? 'request token'
        : exists $extra{oauth_verifier} ? 'access token'
        : defined $request->{token} ? 'protected resource'
        : 'consumer';
    # Its users hand it a form's fields as a hash.
    my %form = map { utf8::decode $_; $_ } parse_urlencoded($request->{form} // '');
    my $to_sign = Net::OAuth->request($kind)->new(
        consumer_key => $request->{consumer_key},
        consumer_secret => $request->{consumer_secret},
        defined $request->{token}
            ? (token => $request->{token}, token_secret => $request->{token_secret} // '') : (),
        request_url => $request->{url},
        request_method => $request->{method},
        signature_method => $method,
        timestamp => $request->{timestamp},
        nonce => $request->{nonce},
        extra_params => \%form,
        map { s/^oauth_//r => $extra{$_} } keys %extra,
    );
    $to_sign->sign;
    return $to_sign->signature_base_string, $to_sign->signature;
});
