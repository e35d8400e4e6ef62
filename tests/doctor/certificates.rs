//! What is said of certificates, those that are trusted and those that are not.

use std::fs;

use rustls::version::TLS12;

use super::{
    OK_WITHOUT_DATE, answer, answering, check, check_lines, dated, directory, doctor_in, proxy,
    support::{
        certificates::{Authority, Certificate},
        setup::write_secret,
        upstream::Upstream,
    },
};

#[test]
fn a_certificate_that_is_not_trusted_is_described_all_the_same() {
    let authority = Authority::new();
    let (_directory, ca) = authority.ca_file();
    let other_pin = format!("pin_sha256 = ['{}']", Certificate::self_signed().pin);
    let refused = "FAILED trust the platform's certificate is not accepted: it";
    let expired = authority.issue_expired();
    let cases = [
        (
            Certificate::self_signed(),
            "",
            "is self-signed",
            "ok name",
            "ok expiry",
        ),
        (
            Certificate::self_signed_authority(),
            "",
            "is an authority's own (CA:TRUE)",
            "ok name",
            "ok expiry",
        ),
        (
            Certificate::of_version_1(),
            "trust = 'self-signed'",
            "is of version 1 of X.509",
            "ok name",
            "ok expiry",
        ),
        (
            authority.issue(),
            "",
            "has an unknown issuer",
            "ok name",
            "ok expiry",
        ),
        (
            expired,
            &ca,
            "has expired",
            "ok name",
            "FAILED expiry expired on 2002-01-01T00:00:00Z",
        ),
        (
            authority.issue_for_days(1, 9),
            &ca,
            "is not valid yet",
            "ok name",
            "FAILED expiry not valid before",
        ),
        (
            authority.issue_for("other.test"),
            &ca,
            "is not made out to 127.0.0.1",
            "FAILED name not made out to 127.0.0.1",
            "ok expiry",
        ),
        (
            authority.issue_for("other.test"),
            &other_pin,
            "has a public key that is not in tls.pin_sha256",
            "ok name not made out",
            "ok expiry",
        ),
    ];
    for (certificate, tls, reason, name, expiry) in cases {
        let upstream = answering(&certificate, "");
        let refused = format!("{refused} {reason}");
        let expected = [
            "ok TCP",
            &refused,
            "to do:",
            "chain 1. subject",
            name,
            expiry,
            "pin pin_sha256",
        ];
        let ended = check(&upstream.url(), tls, &[], 1, &expected);
        assert!(ended.stdout.contains(&certificate.pin), "{}", ended.stdout);
        assert!(upstream.requests().is_empty());
    }
}

#[test]
fn what_is_accepted_only_because_it_is_told_so_is_warned_of() {
    let certificate = Certificate::self_signed();
    let upstream = answering(&certificate, &dated("204 No Content", 0, ""));
    let expected = [
        "warning trust any certificate is accepted",
        "to do:",
        "ok GET",
    ];
    check(&upstream.url(), "trust = 'self-signed'", &[], 0, &expected);
    let authority = Authority::new();
    let (_directory, ca) = authority.ca_file();
    let upstream = answering(&authority.issue_for_days(-60, 29), OK_WITHOUT_DATE);
    let expected = [
        "warning expiry 29 days left",
        "ok trust",
        "warning clock not known",
        "ok GET",
    ];
    check(&upstream.url(), &ca, &[], 0, &expected);
    let pin = format!("{ca}\npin_sha256 = ['{}']", certificate.pin);
    let upstream = answering(&certificate, OK_WITHOUT_DATE);
    let expected = [
        "ok trust its key is in tls.pin_sha256",
        "warning config tls.ca_file has no effect",
    ];
    check(&upstream.url(), &pin, &[], 0, &expected);
}

#[test]
fn a_key_that_is_too_short_is_told_from_one_that_is_not_trusted() {
    let weak = Certificate::weak();
    let upstream = Upstream::tls_of(&TLS12, &weak, answer);
    let expected = [
        "FAILED trust the platform's certificate is not accepted: it has an RSA key of 1024 bits",
        "to do: no setting makes up for it",
        "pin pin_sha256",
    ];
    check(&upstream.url(), "trust = 'self-signed'", &[], 1, &expected);
}

#[test]
fn a_certificate_that_is_itself_in_the_file_of_roots_is_told_so() {
    let certificate = Certificate::self_signed_authority();
    let (_directory, ca) = certificate.ca_file();
    let upstream = answering(&certificate, OK_WITHOUT_DATE);
    let expected = ["ok trust it is itself in tls.ca_file", "ok GET"];
    check(&upstream.url(), &ca, &[], 0, &expected);
}

#[test]
fn the_client_certificate_that_would_be_shown_is_told() {
    let authority = Authority::new();
    let directory = directory("");
    let path = directory.path();
    let upstream = Upstream::mutual_tls(&authority.issue(), &authority, answer);
    let ca = path.join("ca.pem");
    fs::write(&ca, &authority.pem).unwrap();
    let cases = [
        (authority.issue_for_days(-1, 90), 0, "ok client if it asks"),
        (
            authority.issue_for_days(-1, 9),
            0,
            "warning client if it asks",
        ),
        (
            authority.issue_expired(),
            1,
            "warning config the certificate of tls.client_certificate_file has expired",
        ),
    ];
    for (certificate, code, expected) in cases {
        fs::write(path.join("cert.pem"), &certificate.pem).unwrap();
        write_secret(path, "key.pem", &certificate.key_pem);
        let tls =
            "ca_file = 'ca.pem'\nclient_certificate_file = 'cert.pem'\nclient_key_file = 'key.pem'";
        let file = proxy("test", &upstream.url(), tls);
        fs::write(path.join("undersign.toml"), file).unwrap();
        let ended = doctor_in(path, &[]);
        check_lines(&ended, code, &["ok trust", expected]);
    }
}
