# Perl's WWW::OAuth
use v5.32;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Driver;
use WWW::OAuth;
use WWW::OAuth::Request::Basic;

Driver::answer_all(sub {
    my ($request) = @_;
    my $method = $request->{signature_method};
    Driver::unsupported($method) unless $method =~ /^(?:HMAC-SHA1|PLAINTEXT)$/;
    my $oauth = WWW::OAuth->new(
        client_id => $request->{consumer_key},
        client_secret => $request->{consumer_secret},
        signature_method => $method,
    );
    my $to_sign = WWW::OAuth::Request::Basic->new(
        method => $request->{method},
        url => $request->{url},
        defined $request->{form} ? (
            content => $request->{form},
            headers => { 'Content-Type' => 'application/x-www-form-urlencoded' },
        ) : (),
    );
    # Its header always has a version, hence the steps it makes the header by.
    my $parameters = Driver::protocol_parameters($request);
    my $base_string = WWW::OAuth::_signature_base_string($to_sign, $parameters);
    return $base_string,
        $oauth->signer->($base_string, $request->{consumer_secret}, $request->{token_secret});
});
