//! Whom a daemon trusts, and what it shows of itself, after a reload.

use super::{change, directory, edit, hang_up, hang_up_in_vain, replace};
use crate::support::{
    certificates::{Authority, Certificate},
    setup::Setup,
    stage::{GET, OK, Stage, problem},
    upstream::Upstream,
};

#[test]
fn a_new_pin_counts_for_the_next_request() {
    let certificate = Certificate::self_signed();
    let (right, wrong) = (certificate.pin.clone(), Certificate::self_signed().pin);
    let upstream = Upstream::tls(&certificate, |peer| peer.answer_all(OK));
    let daemon = Setup::new(upstream.url())
        .table("tls", &format!("pin_sha256 = ['{right}']"))
        .start();
    let mut client = daemon.connect();
    Stage::fetch_on(&mut client);
    edit(&daemon, &right, &wrong);
    hang_up(&daemon);
    // There is a connection that the old pin had let through, and it is not used.
    client.send(GET);
    problem(&mut client, 502, "tls_certificate_error");
    edit(&daemon, &wrong, &right);
    hang_up(&daemon);
    Stage::fetch_on(&mut client);
    assert_eq!(upstream.requests().len(), 2);
}

#[test]
fn a_new_authority_is_trusted_once_its_file_is_there() {
    let authority = Authority::new();
    let upstream = Upstream::tls(&authority.issue(), |peer| peer.answer_all(OK));
    let setup = Setup::new(upstream.url()).table("tls", "ca_file = 'ca.pem'");
    setup.secret_file("ca.pem", &Authority::new().pem);
    let daemon = setup.start();
    let mut client = daemon.connect();
    client.send(GET);
    problem(&mut client, 502, "tls_certificate_error");
    change(&daemon, || {
        replace(directory(&daemon), "ca.pem", &authority.pem);
    });
    Stage::fetch_on(&mut client);
}

#[test]
fn a_new_client_certificate_is_shown_once_it_and_its_key_are_there() {
    let (platform, clients) = (Authority::new(), Authority::new());
    let upstream = Upstream::mutual_tls(&platform.issue(), &clients, |peer| peer.answer_all(OK));
    let setup = Setup::new(upstream.url()).table(
        "tls",
        "ca_file = 'ca.pem'\nclient_certificate_file = 'client.pem'\nclient_key_file = 'client.key'",
    );
    let old = Authority::new().issue();
    setup.secret_file("ca.pem", &platform.pem);
    setup.secret_file("client.pem", &old.pem);
    setup.secret_file("client.key", &old.key_pem);
    let daemon = setup.start();
    let mut client = daemon.connect();
    client.send(GET);
    problem(&mut client, 502, "tls_alert_received");

    let new = clients.issue();
    // Between the two, the certificate and the key do not match.
    replace(directory(&daemon), "client.pem", &new.pem);
    let fault = hang_up_in_vain(&daemon);
    assert!(
        fault.starts_with("proxy.test.tls.client_key_file (undersign.toml:"),
        "{fault}"
    );
    change(&daemon, || {
        replace(directory(&daemon), "client.key", &new.key_pem);
    });
    Stage::fetch_on(&mut client);
}
