//! Certificates and keys in files: what is shown to an upstream, what is warned of, and what is refused at the start.

use std::{fs, path::Path};

use super::{check_trusted, daemon};
use crate::support::{
    certificates::{Authority, Certificate},
    log::records,
    setup::{Setup, write_secret},
    stage::{GET, OK, failed, finish, problem},
    upstream::Upstream,
};

#[test]
fn a_client_certificate_is_shown_to_an_upstream_that_asks_for_one() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let (directory, ca) = servers.ca_file();
    let shown = clients.issue();
    let keys = client_keys(directory.path(), &shown.pem, &shown.key_pem);
    let upstream = Upstream::mutual_tls(&servers.issue(), &clients, |peer| peer.answer_all(OK));
    let tls = format!("{ca}\n{keys}");
    let host = upstream.address().to_string();
    check_trusted(daemon(&upstream, &tls), &upstream, &host);
}

#[test]
fn an_upstream_that_wants_a_client_certificate_says_so_in_an_alert() {
    let authority = Authority::new();
    let (_directory, ca) = authority.ca_file();
    let certificate = authority.issue();
    let upstream = Upstream::mutual_tls(&certificate, &authority, |peer| peer.answer_all(OK));
    let daemon = daemon(&upstream, &ca);
    let mut client = daemon.connect();
    client.send(GET);
    let detail = problem(&mut client, 502, "tls_alert_received");
    assert!(detail.contains("certificate_required (116)"), "{detail}");
    assert!(detail.contains("tls.client_certificate_file"), "{detail}");
    assert!(upstream.requests().is_empty());
    drop(client);
    finish(daemon, &[failed(502, "tls_alert_received")]);
}

#[test]
fn a_client_certificate_that_is_not_accepted_is_named() {
    let authority = Authority::new();
    let (directory, ca) = authority.ca_file();
    let stranger = Certificate::self_signed();
    let keys = client_keys(directory.path(), &stranger.pem, &stranger.key_pem);
    let upstream = Upstream::mutual_tls(&authority.issue(), &authority, |peer| peer.answer_all(OK));
    let daemon = daemon(&upstream, &format!("{ca}\n{keys}"));
    let mut client = daemon.connect();
    client.send(GET);
    let response = client.response();
    assert_eq!(response.status, 502);
    let status = response.head.only("proxy-status");
    assert!(
        status.contains("; alert-id=48; alert-message=\"unknown_ca\""),
        "{status}"
    );
    drop(client);
    let records = finish(daemon, &[failed(502, "tls_alert_received")]);
    let detail = records[0]["error.message"].as_str().unwrap();
    let pin = format!("pin sha256//{}", stranger.pin);
    assert!(detail.contains("it was shown subject \"CN="), "{detail}");
    assert!(detail.ends_with(&pin), "{detail}");
}

#[test]
fn an_expired_client_certificate_is_warned_of_at_the_start() {
    let authority = Authority::new();
    let directory = tempfile::tempdir().unwrap();
    let expired = authority.issue_expired();
    let keys = client_keys(directory.path(), &expired.pem, &expired.key_pem);
    let cases = [
        (keys, "tls.client_certificate_file has expired: subject"),
        (
            format!(
                "{}\npin_sha256 = ['{}']",
                ca_in(directory.path(), &authority.pem),
                expired.pin
            ),
            "tls.ca_file has no effect",
        ),
    ];
    for (tls, expected) in cases {
        let daemon = Setup::new("https://platform.test")
            .table("tls", &tls)
            .start();
        let (_, lines) = daemon.stop();
        let warned = records(&lines).any(|record| {
            let message = record["message"].as_str().unwrap_or_default();
            record["level"] == "WARN" && message.contains(expected)
        });
        assert!(warned, "{expected}: {lines:#?}");
    }
}

#[test]
fn certificates_and_keys_that_can_not_be_used_are_refused_at_the_start() {
    let (authority, other) = (Authority::new(), Authority::new());
    let certificate = authority.issue();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let no_certificate = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    let broken = "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
    let cut_off = "-----BEGIN CERTIFICATE-----\nMAA=\n";
    let pin = format!("\npin_sha256 = ['{}']", certificate.pin);
    let ca = |content: &str| ca_in(path, content);
    let second = |entry: &str| ca(&format!("{}{entry}", authority.pem));
    let keys = |certificate: &str, key: &str| client_keys(path, certificate, key);
    let cases: [(&dyn Fn() -> String, &str); 11] = [
        (&|| ca(""), "tls.ca_file: there is no certificate in "),
        (
            &|| ca("\0\u{ff}garbage"),
            "tls.ca_file: there is no certificate in ",
        ),
        (
            &|| ca(&certificate.key_pem),
            "tls.ca_file: there is no certificate in ",
        ),
        (&|| second(no_certificate), "tls.ca_file: entry 2 of "),
        (&|| second(broken), "tls.ca_file: certificate 2 of "),
        (&|| second(cut_off), "tls.ca_file: certificate 2 of "),
        // It is not needed beside a pin, and wrong all the same.
        (
            &|| ca("") + &pin,
            "tls.ca_file: there is no certificate in ",
        ),
        (
            &|| keys(&certificate.pem, &other.issue().key_pem),
            "tls.client_key_file: ",
        ),
        (
            &|| keys(&certificate.pem, &certificate.pem),
            "tls.client_key_file: no private key",
        ),
        (
            &|| keys(&certificate.key_pem, &certificate.key_pem),
            "tls.client_certificate_file: there is no certificate",
        ),
        (
            &|| keys(no_certificate, &certificate.key_pem),
            "tls.client_certificate_file: ",
        ),
    ];
    for (tls, expected) in cases {
        let (code, lines) = Setup::new("https://platform.test")
            .table("tls", &tls())
            .spawn()
            .wait();
        assert_eq!(code, Some(78), "{expected}: {lines:#?}");
        let (key, problem) = expected.split_once(": ").unwrap();
        let told = |line: &String| {
            let (place, told) = line.split_once("): ").unwrap_or_default();
            place.starts_with(&format!("undersign: proxy.test.{key} ("))
                && place.contains("undersign.toml:")
                && told.contains(problem)
        };
        assert!(lines.iter().any(told), "{expected}: {lines:#?}");
    }
}

/// Writes a client's certificate and key, and returns the keys of `[proxy.NAME.tls]` that name them.
fn client_keys(directory: &Path, certificate: &str, key: &str) -> String {
    let certificate_file = directory.join("cert.pem");
    fs::write(&certificate_file, certificate).unwrap();
    let key_file = write_secret(directory, "key.pem", key);
    format!(
        "client_certificate_file = '{}'\nclient_key_file = '{}'",
        certificate_file.display(),
        key_file.display()
    )
}

/// Writes a file of roots, and returns the key of `[proxy.NAME.tls]` that names it.
fn ca_in(directory: &Path, content: &str) -> String {
    let path = directory.join("roots.pem");
    fs::write(&path, content).unwrap();
    format!("ca_file = '{}'", path.display())
}
