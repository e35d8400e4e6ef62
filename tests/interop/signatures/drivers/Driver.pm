# What the Perl drivers share: requests in, answers out, a line of JSON each.
package Driver;
use v5.32;
use warnings;
use JSON::PP;

# What the implementation has no means to express, whatever the request.
sub unsupported { die { unsupported => shift } }

sub protocol_parameters {
    my ($request) = @_;
    my %parameters = (
        oauth_consumer_key => $request->{consumer_key},
        oauth_token => $request->{token},
        oauth_signature_method => $request->{signature_method},
        oauth_timestamp => $request->{timestamp},
        oauth_nonce => $request->{nonce},
        oauth_version => $request->{version} ? '1.0' : undef,
        %{ $request->{extra} },
    );
    return { map { defined $parameters{$_} ? ($_ => $parameters{$_}) : () } keys %parameters };
}

sub answer_all {
    my ($answer) = @_;
    my $json = JSON::PP->new->ascii->canonical;
    while (my $line = <STDIN>) {
        my $request = JSON::PP->new->utf8->decode($line);
        my %reply = (id => $request->{id});
        my @answer = eval { $answer->($request) };
        if (!$@) { @reply{qw(base_string signature)} = map { "$_" } @answer }
        elsif (ref $@) { %reply = (%reply, %{ $@ }) }
        else { $reply{refusal} = $@ =~ s/ at \S+ line \d+.*//sr }
        say $json->encode(\%reply);
    }
}

1;
