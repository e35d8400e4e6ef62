//! Certificates that upstreams present: what is trusted, what is not, and what the user is told.

use std::io;

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, SanType, date_time_ymd};
use rustls::version::{TLS12, TLS13};

use super::{check_trusted, daemon};
use crate::support::{
    certificates::{Authority, Certificate, NAME, ca_file},
    log::records,
    peer::Peer,
    setup::Setup,
    stage::{GET, OK, Stage, failed, fine, finish, problem},
    upstream::Upstream,
};

/// An upstream with this certificate that answers everything.
fn upstream(certificate: &Certificate) -> Upstream {
    Upstream::tls(certificate, |peer| peer.answer_all(OK))
}

/// Checks that the upstream is not trusted, and gets to see nothing; returns what the client is told, which the record
/// tells too, with whatever the upstream has presented.
#[track_caller]
fn check_untrusted(certificate: &Certificate, tls: &str) -> String {
    check_untrusted_by(&upstream(certificate), certificate, tls)
}

/// Likewise, of an upstream with this certificate.
#[track_caller]
fn check_untrusted_by(upstream: &Upstream, certificate: &Certificate, tls: &str) -> String {
    let daemon = daemon(upstream, tls);
    let mut client = daemon.connect();
    client.send(GET);
    let detail = problem(&mut client, 502, "tls_certificate_error");
    assert!(upstream.requests().is_empty());
    assert_eq!(upstream.connections(), 1);
    drop(client);
    let records = finish(daemon, &[failed(502, "tls_certificate_error")]);
    assert_eq!(records[0]["upstream.attempts"], 1);
    assert_eq!(records[0]["error.message"], detail.as_str());
    let pin = format!("pin sha256//{}", certificate.pin);
    for part in [
        "; presented: subject \"",
        "\", issuer \"",
        "\", valid from ",
        &pin,
    ] {
        assert!(detail.contains(part), "{part}: {detail}");
    }
    detail
}

#[test]
fn a_certificate_of_the_configured_authority_is_trusted() {
    let authority = Authority::new();
    let (_directory, key) = authority.ca_file();
    let upstream = upstream(&authority.issue());
    let host = upstream.address().to_string();
    check_trusted(daemon(&upstream, &key), &upstream, &host);
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_not_trusted() {
    let authority = Authority::new();
    let (_directory, key) = Authority::new().ca_file();
    let cases = [
        (Certificate::self_signed(), "trust = 'system'"),
        (authority.issue(), "trust = 'system'"),
        (Certificate::self_signed(), &key),
        (authority.issue(), &key),
    ];
    for (certificate, tls) in cases {
        let detail = check_untrusted(&certificate, tls);
        assert!(detail.contains("tls.ca_file"), "{tls}: {detail}");
    }
}

#[test]
fn an_expired_certificate_is_not_trusted() {
    let authority = Authority::new();
    let (_directory, key) = authority.ca_file();
    let detail = check_untrusted(&authority.issue_expired(), &key);
    assert!(detail.contains("expired"), "{detail}");
    let validity = "valid from 2001-01-01T00:00:00Z to 2002-01-01T00:00:00Z";
    assert!(detail.contains(validity), "{detail}");
}

#[test]
fn a_certificate_whose_time_is_yet_to_come_is_not_trusted() {
    let authority = Authority::new();
    let (_directory, key) = authority.ca_file();
    let detail = check_untrusted(&authority.issue_for_days(2, 4), &key);
    assert!(detail.contains("is not valid yet"), "{detail}");
    assert!(detail.contains("clock"), "{detail}");
}

#[test]
fn a_self_signed_certificate_of_an_authority_is_told_from_an_unknown_issuer() {
    let certificate = Certificate::self_signed_authority();
    let detail = check_untrusted(&certificate, "trust = 'system'");
    assert!(detail.contains("CA:TRUE"), "{detail}");
    assert!(detail.contains("a file with this certificate"), "{detail}");
    let detail = check_untrusted(&Certificate::self_signed(), "trust = 'system'");
    assert!(detail.contains("is self-signed"), "{detail}");
}

#[test]
fn a_certificate_in_the_file_of_roots_is_trusted_itself() {
    let authority = Authority::new();
    let certificates = [
        Certificate::self_signed_authority(),
        Certificate::self_signed(),
        // Its issuer is not in the file.
        authority.issue(),
    ];
    for certificate in &certificates {
        // It need not be the only one there.
        let (_directory, key) = ca_file(&format!("{}{}", Authority::new().pem, certificate.pem));
        for version in [&TLS12, &TLS13] {
            let upstream = Upstream::tls_of(version, certificate, |peer| peer.answer_all(OK));
            let host = upstream.address().to_string();
            check_trusted(daemon(&upstream, &key), &upstream, &host);
        }
    }
}

#[test]
fn a_certificate_in_the_file_of_roots_has_to_fit_all_the_same() {
    type Differs = fn(&mut CertificateParams);
    let cases: [(Differs, &str); 4] = [
        (
            |params| params.not_after = date_time_ymd(2002, 1, 1),
            "has expired",
        ),
        (
            |params| params.not_before = date_time_ymd(2999, 1, 1),
            "is not valid yet",
        ),
        (
            |params| params.subject_alt_names = vec![SanType::DnsName(NAME.try_into().unwrap())],
            "is not made out to 127.0.0.1",
        ),
        (
            |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
            "is not meant for servers",
        ),
    ];
    for (differs, reason) in cases {
        let certificate = Certificate::self_signed_authority_that(differs);
        let (_directory, key) = certificate.ca_file();
        let detail = check_untrusted(&certificate, &key);
        assert!(detail.contains(reason), "{reason}: {detail}");
    }
    // Another one of the same names.
    let (_directory, key) = Certificate::self_signed_authority().ca_file();
    let detail = check_untrusted(&Certificate::self_signed_authority(), &key);
    assert!(detail.contains("CA:TRUE"), "{detail}");
    // Who copies a certificate has not its key.
    let certificate = Certificate::self_signed_authority();
    let (_directory, key) = certificate.ca_file();
    let copied = Certificate {
        key_der: Certificate::self_signed().key_der,
        ..certificate
    };
    let detail = check_untrusted(&copied, &key);
    assert!(detail.contains("did not prove to have its key"), "{detail}");
}

#[test]
fn a_pin_decides_alone_also_beside_the_certificate_itself() {
    let certificate = Certificate::self_signed_authority();
    let (_directory, key) = certificate.ca_file();
    let pin = Certificate::self_signed().pin;
    let detail = check_untrusted(&certificate, &format!("{key}\npin_sha256 = ['{pin}']"));
    assert!(detail.contains("is not in tls.pin_sha256"), "{detail}");
}

#[test]
fn what_no_setting_makes_up_for_is_told_so() {
    let weak = Certificate::weak();
    let (_directory, weak_ca) = weak.ca_file();
    let weak_pin = format!("pin_sha256 = ['{}']", weak.pin);
    let bits = "it has an RSA key of 1024 bits, and only those of 2048 to 8192 bits are taken; \
                no setting makes up for it";
    let old = Certificate::of_version_1();
    let version = "it is of version 1 of X.509, of which only version 3 is taken; \
                   no setting makes up for it";
    let old_pin = format!("pin_sha256 = ['{}']", old.pin);
    let cases = [
        (&weak, "trust = 'self-signed'", bits),
        (&weak, "trust = 'system'", bits),
        (&weak, &weak_ca, bits),
        (&weak, &weak_pin, bits),
        (&old, "trust = 'self-signed'", version),
        (&old, "trust = 'system'", version),
        (&old, &old_pin, version),
    ];
    for (certificate, tls, expected) in cases {
        let upstream = Upstream::tls_of(&TLS12, certificate, |peer| peer.answer_all(OK));
        let detail = check_untrusted_by(&upstream, certificate, tls);
        assert!(detail.contains(expected), "{tls}: {detail}");
    }
}

#[test]
fn what_a_certificate_says_is_escaped_and_cut_off() {
    let authority = Authority::new();
    let name = format!("\u{1b}[2J\r\nHost: evil {}", "x".repeat(5000));
    let detail = check_untrusted(&authority.issue_to(&name), "trust = 'system'");
    assert!(
        detail.contains("CN=\\u{1b}[2J\\r\\nHost: evil xxx"),
        "{detail}"
    );
    assert!(detail.len() < 1500, "{}", detail.len());
}

#[test]
fn a_certificate_for_another_name_is_not_trusted() {
    let authority = Authority::new();
    let (_directory, key) = authority.ca_file();
    for name in ["other.test", "127.0.0.2", "*.127.0.0.1"] {
        let detail = check_untrusted(&authority.issue_for(name), &key);
        assert!(detail.contains("tls.server_name"), "{detail}");
        let names = format!("for the names \"{name}\"");
        assert!(detail.contains(&names), "{detail}");
    }
}

#[test]
fn a_pinned_key_is_trusted_whatever_the_certificate_says() {
    let authority = Authority::new();
    let certificates = [
        Certificate::self_signed(),
        authority.issue_expired(),
        authority.issue_for("other.test"),
    ];
    let other = Certificate::self_signed().pin;
    for certificate in &certificates {
        let pin = &certificate.pin;
        let keys = [
            format!("pin_sha256 = ['{pin}']"),
            format!("pin_sha256 = ['{other}', 'sha256//{pin}']"),
        ];
        for key in keys {
            let upstream = upstream(certificate);
            let host = upstream.address().to_string();
            check_trusted(daemon(&upstream, &key), &upstream, &host);
        }
    }
}

#[test]
fn with_a_pin_no_other_key_is_trusted_and_the_one_presented_is_named() {
    let authority = Authority::new();
    let (_directory, ca) = authority.ca_file();
    let pin = Certificate::self_signed().pin;
    for certificate in [Certificate::self_signed(), authority.issue()] {
        let others = ["", &ca, "trust = 'self-signed'"];
        for other in others {
            let detail = check_untrusted(&certificate, &format!("pin_sha256 = ['{pin}']\n{other}"));
            assert!(detail.contains(&certificate.pin), "{other}: {detail}");
        }
    }
}

#[test]
fn the_key_of_an_issuer_is_no_pin_and_the_client_is_told_so() {
    let authority = Authority::new();
    let pin = format!("pin_sha256 = ['{}']", authority.pin());
    // Whoever sits in between could send the authority's certificate along with one of his own.
    let detail = check_untrusted(&authority.issue_in_chain(), &pin);
    assert!(detail.contains("the key of one of its issuers"), "{detail}");
    let detail = check_untrusted(&authority.issue(), &pin);
    assert!(!detail.contains("issuers"), "{detail}");
}

#[test]
fn both_versions_of_tls_that_are_offered_are_spoken() {
    let certificate = Certificate::self_signed();
    for version in [&TLS12, &TLS13] {
        let upstream = Upstream::tls_of(version, &certificate, |peer| peer.answer_all(OK));
        let host = upstream.address().to_string();
        let pin = format!("pin_sha256 = ['{}']", certificate.pin);
        check_trusted(daemon(&upstream, &pin), &upstream, &host);
    }
}

#[test]
fn another_name_can_be_verified_than_the_upstreams() {
    let authority = Authority::new();
    let (_directory, ca) = authority.ca_file();
    let certificate = authority.issue_for("other.test");
    let upstream = upstream(&certificate);
    let daemon = daemon(&upstream, &format!("{ca}\nserver_name = 'Other.test'"));
    // The upstream's own name is what Host says.
    let host = upstream.address().to_string();
    check_trusted(daemon, &upstream, &host);
    let detail = check_untrusted(
        &authority.issue(),
        &format!("{ca}\nserver_name = 'other.test'"),
    );
    assert!(detail.contains("other.test"), "{detail}");
}

#[test]
fn the_name_to_verify_can_be_an_address() {
    let authority = Authority::new();
    let (_directory, ca) = authority.ca_file();
    for address in ["192.0.2.7", "2001:db8::7"] {
        let upstream = upstream(&authority.issue_for(address));
        let host = upstream.address().to_string();
        let daemon = daemon(&upstream, &format!("{ca}\nserver_name = '{address}'"));
        check_trusted(daemon, &upstream, &host);
    }
}

#[test]
fn another_address_can_be_dialled_than_the_upstreams() {
    let authority = Authority::new();
    let (_directory, ca) = authority.ca_file();
    let upstream = upstream(&authority.issue_for(NAME));
    let tls = format!("{ca}\ndial = '{}'", upstream.address());
    for (url, host) in [
        (format!("https://{NAME}"), NAME.to_owned()),
        (format!("https://{NAME}:8443"), format!("{NAME}:8443")),
    ] {
        let daemon = Setup::new(url).table("tls", &tls).start();
        Stage::fetch_on(&mut daemon.connect());
        finish(daemon, &[fine(200)]);
        let requests = upstream.requests();
        assert_eq!(requests.last().unwrap().head.only("host"), host);
    }
}

/// How a peer that is no TLS server goes on once it has been spoken to.
type Script = fn(&mut Peer) -> io::Result<()>;

#[test]
fn what_is_no_tls_is_told_apart() {
    let cases: [(&str, Script); 4] = [
        ("tls_protocol_error", |peer| {
            peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")?;
            peer.until_end().map(drop)
        }),
        ("tls_alert_received", |peer| {
            // A fatal handshake_failure.
            peer.send(b"\x15\x03\x03\x00\x02\x02\x28")?;
            peer.until_end().map(drop)
        }),
        ("connection_terminated", |peer| {
            peer.close();
            Ok(())
        }),
        ("connection_terminated", |peer| {
            peer.reset();
            Ok(())
        }),
    ];
    for (error, then) in cases {
        let upstream = Upstream::plain(move |peer| {
            // A TLS record of a handshake, and never a request in plain text.
            peer.expect(b"\x16\x03")?;
            then(peer)
        });
        let daemon = Setup::new(format!("https://{}", upstream.address())).start();
        let mut client = daemon.connect();
        client.send(GET);
        problem(&mut client, 502, error);
        assert_eq!(upstream.connections(), 1);
        drop(client);
        finish(daemon, &[failed(502, error)]);
    }
}

#[test]
fn an_unverified_key_is_warned_of_once_with_the_pin_to_paste() {
    let certificate = Certificate::self_signed();
    let upstream = Upstream::tls(&certificate, |peer| {
        peer.request()?;
        peer.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
    });
    let daemon = daemon(&upstream, "trust = 'self-signed'");
    let mut client = daemon.connect();
    for _ in 0..3 {
        Stage::fetch_on(&mut client);
    }
    assert_eq!(upstream.connections(), 3);
    let (_, lines) = daemon.stop();
    let warnings: Vec<_> = records(&lines)
        .filter(|record| !record["pin"].is_null())
        .collect();
    assert_eq!(warnings.len(), 1, "{lines:#?}");
    assert_eq!(warnings[0]["level"], "WARN");
    assert_eq!(warnings[0]["proxy"], "test");
    let pin = warnings[0]["pin"].as_str().unwrap();
    assert!(pin.ends_with(&certificate.pin), "{pin} {}", certificate.pin);
    for key in ["subject", "issuer", "not_before", "not_after"] {
        assert!(warnings[0][key].is_string(), "{key}: {:#}", warnings[0]);
    }
    let line = format!("pin_sha256 = [\"{pin}\"]");
    let message = warnings[0]["message"].as_str().unwrap();
    assert!(message.ends_with(&line), "{message}");
    // What was logged can be pasted.
    let pinned = Setup::new(upstream.url()).table("tls", &line).start();
    Stage::fetch_on(&mut pinned.connect());
    let (_, lines) = pinned.stop();
    assert!(
        records(&lines).all(|record| record["pin"].is_null()),
        "{lines:#?}"
    );
}
