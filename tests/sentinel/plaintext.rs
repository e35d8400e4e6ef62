//! PLAINTEXT, by which the secrets themselves are sent: to the upstream, and nowhere else.

use secrecy::ExposeSecret as _;
use undersign::oauth::{Method, SigningOptions};

use crate::{
    sentinels::{Sentinels, secret},
    support::stage::Stage,
};

#[test]
fn secrets_that_are_sent_in_the_clear_go_to_the_upstream_alone() {
    let token_secret = secret();
    let options = SigningOptions {
        method: Method::Plaintext,
        ..SigningOptions::default()
    };
    let stage = Stage::with(
        |setup| setup.token("tok", &token_secret).signing(options),
        |peer| loop {
            let request = peer.request()?;
            let sent = request.head.only("authorization").to_owned();
            peer.send(format!(
                "HTTP/1.1 401 {sent}\r\nWWW-Authenticate: OAuth {sent}, oauth_problem={sent}\r\nContent-Length: 0\r\n\r\n"
            ))?;
            // Behind the answer to the second one, the connection is garbage.
            if request.head.first_line().starts_with(b"POST") {
                return peer.send(sent);
            }
        },
    );
    let mut sentinels = Sentinels::default();
    let secret = stage.daemon.credentials().consumer_secret.expose_secret();
    sentinels.plant("the consumer secret", secret);
    sentinels.plant("the token secret", &token_secret);
    for method in ["GET", "POST", "GET"] {
        let mut client = stage.daemon.connect();
        client.send(format!(
            "{method} /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
        ));
        // The upstream has echoed it; that is between the upstream and the client.
        assert_eq!(client.response().status, 401);
    }
    let sent = stage.upstream.requests();
    assert!(sent[0].head.only("authorization").contains(secret));
    let (code, lines) = stage.daemon.stop();
    assert_eq!(code, Some(0));
    sentinels.check("the log", lines.join("\n"));
}
