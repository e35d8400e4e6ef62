//! The daemon: its log, its answers, its counters and its place in the process table, whatever goes wrong.

use std::{fs, io, path::Path};

use percent_encoding::percent_decode_str;
use rustix::process::Signal;
use secrecy::ExposeSecret as _;
use undersign::oauth::{Method, RsaHash, RsaKey, SigningOptions};

use crate::{
    sentinels::{Sentinels, secret},
    support::{
        certificates::{Authority, rsa_key},
        client::Client,
        command::undersign,
        peer::Peer,
        setup::{Setup, random_text, write_secret},
        stage::{GET, OK, Stage},
        upstream::{Received, Upstream},
    },
};

/// What goes wrong upstream, by the target: each time, what was sent comes back where it might be shown.
fn echo(peer: &mut Peer) -> io::Result<()> {
    loop {
        let request = peer.request()?;
        let sent = request.head.only("authorization").to_owned();
        let signature = signatures_in(&request).pop().unwrap_or_default();
        let line = std::str::from_utf8(request.head.first_line()).unwrap_or_default();
        let target = line.split(' ').nth(1).unwrap_or_default();
        match target.split('?').next().unwrap_or_default() {
            "/refused" => peer.send(format!(
                "HTTP/1.1 401 {sent}\r\nWWW-Authenticate: OAuth realm=\"{sent}\", oauth_problem=\"signature_invalid\", sent=\"{sent}\"\r\n\
                 Content-Length: {}\r\n\r\n{sent}",
                sent.len()
            ))?,
            "/problem" => peer.send(format!(
                "HTTP/1.1 401 No\r\nWWW-Authenticate: OAuth oauth_problem={signature}\r\nContent-Length: 0\r\n\r\n"
            ))?,
            "/quoted" => peer.send(format!(
                "HTTP/1.1 401 No\r\nWWW-Authenticate: OAuth oauth_problem=\"{sent}\"\r\nDate: {sent}\r\nContent-Length: 0\r\n\r\n"
            ))?,
            "/redirect" => peer.send(format!(
                "HTTP/1.1 302 {sent}\r\nLocation: http://up.example/?{sent}\r\nSet-Cookie: a={sent}\r\nContent-Length: 0\r\n\r\n"
            ))?,
            "/garbage" => return peer.send(format!("{sent}\r\n\r\n")),
            "/status" => return peer.send(format!("HTTP/1.1 {sent}\r\n\r\n")),
            "/field" => return peer.send(format!("HTTP/1.1 200 OK\r\n{sent}\r\n\r\n")),
            "/name" => return peer.send(format!("HTTP/1.1 200 OK\r\n{sent}: a\r\n\r\n")),
            "/length" => return peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {sent}\r\n\r\n")),
            "/coding" => return peer.send(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: {sent}\r\n\r\n")),
            "/upgrade" => return peer.send(format!("HTTP/1.1 101 {sent}\r\nUpgrade: {sent}\r\n\r\n")),
            "/chunk" => return peer.send(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{sent}\r\n")),
            "/short" => return peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{sent}")),
            "/reset" => {
                peer.reset();
                return Ok(());
            }
            "/nothing" => return Ok(()),
            _ => peer.send(OK)?,
        }
    }
}

/// The signature of a request, as it was sent and decoded.
fn signatures_in(request: &Received) -> Vec<String> {
    let mut found = Vec::new();
    for sent in request.head.all("authorization") {
        let sent = std::str::from_utf8(sent).unwrap_or_default();
        if let Some((_, rest)) = sent.split_once("oauth_signature=\"") {
            let signature = rest.split('"').next().unwrap_or_default();
            found.push(signature.to_owned());
            found.push(
                percent_decode_str(signature)
                    .decode_utf8_lossy()
                    .into_owned(),
            );
        }
    }
    found
}

/// Requests that are refused or fail, but for `Host` and the client's token.
const REQUESTS: &[&str] = &[
    "GET /fine?a=b HTTP/1.1",
    "GET /refused HTTP/1.1",
    "GET /problem HTTP/1.1",
    "GET /quoted HTTP/1.1",
    "GET /redirect HTTP/1.1",
    "GET /garbage HTTP/1.1",
    "GET /status HTTP/1.1",
    "GET /field HTTP/1.1",
    "GET /name HTTP/1.1",
    "GET /length HTTP/1.1",
    "GET /coding HTTP/1.1",
    "GET /upgrade HTTP/1.1",
    "GET /nothing HTTP/1.1",
    "GET /reset HTTP/1.1",
    "GET / HTTP/1.1\r\nOrigin: https://evil.example",
    "GET / HTTP/1.1\r\nTransfer-Encoding: gzip",
    "GET / HTTP/1.1\r\nContent-Length: x",
    "GET / HTTP/1.1\r\nAuthorization: OAuth oauth_signature=\"x\"\r\nConnection: authorization",
    "GET /?oauth_token=x HTTP/1.1",
    "GET /%zz/../a HTTP/1.1",
    "GET /\u{7f} HTTP/1.1",
    "CONNECT up.example:443 HTTP/1.1",
    "GET http://other.example/ HTTP/1.1",
    "GET / HTTP/1.1\r\nExpect: x",
];

/// Answers that break off, after which the client's connection does too.
const BROKEN: [&str; 2] = ["GET /chunk HTTP/1.1", "GET /short HTTP/1.1"];

fn ask_admin(directory: &Path, request: &str) -> Vec<u8> {
    let mut client = Client::unix(&directory.join("admin.sock"));
    client.send(format!(
        "{request}\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    ));
    client.rest().0
}

#[test]
fn nothing_that_goes_wrong_shows_a_secret_or_a_signature() {
    for format in ["json", "text"] {
        let (servers, clients) = (Authority::new(), Authority::new());
        let (ca_directory, ca) = servers.ca_file();
        let directory = ca_directory.path();
        let shown = clients.issue();
        fs::write(directory.join("cert.pem"), &shown.pem).unwrap();
        let key = write_secret(directory, "key.pem", &shown.key_pem);
        let (token_secret, client_token) = (secret(), random_text(40));
        let (other_secret, variable) = (random_text(40), random_text(40));
        write_secret(directory, "other-secret", &other_secret);
        let upstream = Upstream::mutual_tls(&servers.issue(), &clients, echo);
        let path = directory.display();
        let setup = Setup::new(upstream.url())
            .log(&format!("format = '{format}'"))
            .token("tok", &token_secret)
            .table("tls", &format!(
                "{ca}\nclient_certificate_file = '{path}/cert.pem'\nclient_key_file = '{}'",
                key.display()
            ))
            .variable("OTHER_TOKEN_SECRET", &variable)
            .variable("HARMLESS", "seen")
            .document(&format!(
                "[admin]\nlisten = 'unix:{path}/admin.sock'\n\
                 [proxy.vault]\nlisten = 'unix:{path}/vault.sock'\nupstream = 'https://localhost:1'\nconsumer_key = 'key'\n\
                 consumer_secret_command = ['/bin/sh', '-c', 'env > {path}/environment; cat {path}/other-secret']\n\
                 token = 't'\ntoken_secret_env = 'OTHER_TOKEN_SECRET'"
            ));
        let token_file = setup.secret_file("client-token", &client_token);
        let setup = setup.table(
            "access",
            &format!("client_token_file = '{}'", token_file.display()),
        );
        let daemon = setup.start();
        let mut sentinels = Sentinels::default();
        sentinels.plant("the token secret", &token_secret);
        sentinels.plant("the client token", &client_token);
        sentinels.plant("the other secret", &other_secret);
        sentinels.plant_pem("the client's key", &shown.key_pem);
        let consumer_secret = daemon.credentials().consumer_secret.expose_secret();
        sentinels.plant("the consumer secret", consumer_secret);

        let mut answers = Vec::new();
        for request in REQUESTS {
            for token in [&*client_token, "wrong", ""] {
                let mut client = daemon.connect();
                client.send(format!(
                    "{request}\r\nHost: localhost\r\nProxy-Authorization: Bearer {token}\r\n\r\n"
                ));
                let answer = client.response();
                let ours = answer.head.has("proxy-status");
                let is_let_in = token == client_token;
                // What the upstream itself says is the client's to know.
                if ours || !is_let_in {
                    answers.extend_from_slice(&answer.head.raw);
                    answers.extend_from_slice(&answer.body);
                }
            }
        }
        let misplaced = random_text(40);
        sentinels.plant("a credential in a target", &misplaced);
        for target in [
            format!("/cb#oauth_token={misplaced}"),
            format!("/cb?oauth_signature={misplaced}"),
            format!("/cb?a&oauth_token={misplaced}#b"),
            format!("http://u:{misplaced}@localhost/"),
            format!("oauth_signature={misplaced}"),
        ] {
            let mut client = daemon.connect();
            client.send(format!(
                "GET {target} HTTP/1.1\r\nHost: localhost\r\nProxy-Authorization: Bearer {client_token}\r\n\r\n"
            ));
            let answer = client.response();
            assert_eq!(answer.status, 400, "{target:.30}");
            answers.extend_from_slice(&answer.body);
        }
        for request in BROKEN {
            let mut client = daemon.connect();
            client.send(format!(
                "{request}\r\nHost: localhost\r\nProxy-Authorization: Bearer {client_token}\r\n\r\n"
            ));
            client.rest();
        }
        let mut other = Client::unix(&directory.join("vault.sock"));
        other.send(GET);
        let failed = other.response();
        assert_eq!(failed.status, 502);
        answers.extend_from_slice(&failed.head.raw);
        answers.extend_from_slice(&failed.body);

        for request in upstream.requests() {
            for signature in signatures_in(&request) {
                sentinels.plant("a signature", &signature);
            }
        }
        sentinels.check("an answer", &answers);
        for target in ["/livez", "/readyz", "/metrics", "/nothing", "/%zz?a"] {
            let answer = ask_admin(directory, &format!("GET {target} HTTP/1.1"));
            assert!(answer.starts_with(b"HTTP/1.1 "), "{target}");
            sentinels.check(target, answer);
        }
        let admin = format!("unix:{path}/admin.sock");
        let health = undersign(directory, &["healthcheck", "--admin-listen", &admin], &[]);
        sentinels.check("healthcheck", format!("{health:?}"));

        let id = daemon.process().id();
        for file in ["cmdline", "comm", "status", "limits"] {
            let shown = fs::read(format!("/proc/{id}/{file}")).unwrap();
            sentinels.check(file, shown);
        }
        // Only root may read these.
        for file in ["environ", "maps", "mountinfo"] {
            let shown = fs::read(format!("/proc/{id}/{file}")).unwrap_or_default();
            sentinels.check(file, shown);
        }
        sentinels.plant("a secret in a variable", &variable);
        let environment = fs::read_to_string(directory.join("environment")).unwrap();
        assert!(environment.contains("HARMLESS=seen"), "{environment}");
        sentinels.check("the command's environment", environment);

        daemon.signal(Signal::HUP);
        let (code, lines) = daemon.stop();
        assert_eq!(code, Some(0), "{lines:#?}");
        assert!(lines.len() > REQUESTS.len() * 3, "{lines:#?}");
        sentinels.check("the log", lines.join("\n"));
    }
}

#[test]
fn a_private_key_shows_nowhere() {
    let pem = rsa_key();
    for hash in [RsaHash::Sha1, RsaHash::Sha256] {
        let mut sentinels = Sentinels::default();
        sentinels.plant_pem("the private key", &pem);
        let options = SigningOptions {
            method: Method::Rsa(RsaKey::from_pem(hash, pem.as_bytes()).unwrap()),
            ..SigningOptions::default()
        };
        let stage = Stage::with(|setup| setup.signing(options).private_key(&pem), echo);
        for target in ["/fine", "/problem", "/garbage", "/field"] {
            let mut client = stage.daemon.connect();
            client.send(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
            let answer = client.response();
            sentinels.check(target, [&answer.head.raw[..], &answer.body].concat());
        }
        for request in stage.upstream.requests() {
            for signature in signatures_in(&request) {
                sentinels.plant("a signature", &signature);
            }
        }
        let directory = stage.daemon.process().directory();
        for word in ["check", "sign", "verify"] {
            let words: &[&str] = if word == "check" {
                &[word]
            } else {
                &[word, "GET", "/x"]
            };
            let ended = undersign(directory, words, &[]);
            sentinels.check(word, format!("{}\n{}", ended.stdout, ended.stderr));
        }
        let (_, lines) = stage.daemon.stop();
        sentinels.check("the log", lines.join("\n"));
    }
    // Where another file belongs.
    let mut sentinels = Sentinels::default();
    sentinels.plant_pem("the private key", &pem);
    let directory = tempfile::tempdir().unwrap();
    write_secret(directory.path(), "key.pem", &pem);
    let broken: String = pem.lines().take(9).collect::<Vec<_>>().join("\n");
    write_secret(directory.path(), "broken.pem", &broken);
    write_secret(directory.path(), "secret", "secret");
    for keys in [
        "consumer_secret_file = 'key.pem'",
        "consumer_secret_file = 'secret'\ntls.ca_file = 'key.pem'",
        "consumer_secret_file = 'secret'\naccess.client_token_file = 'key.pem'",
        "consumer_secret_file = 'secret'\ntls.client_certificate_file = 'key.pem'\ntls.client_key_file = 'key.pem'",
        "signature_method = 'RSA-SHA1'\nprivate_key_file = 'broken.pem'",
        "signature_method = 'HMAC-SHA1'\nprivate_key_file = 'key.pem'",
    ] {
        let toml =
            format!("[proxy.a]\nupstream = 'https://up.invalid'\nconsumer_key = 'key'\n{keys}\n");
        fs::write(directory.path().join("undersign.toml"), toml).unwrap();
        for word in ["check", "run"] {
            let ended = undersign(directory.path(), &[word], &[]);
            assert_eq!(ended.code, Some(78), "{keys}: {ended:?}");
            sentinels.check(keys, format!("{}\n{}", ended.stdout, ended.stderr));
        }
    }
    for flag in ["--config", "--consumer-secret-file"] {
        let ended = undersign(directory.path(), &["check", flag, "key.pem"], &[]);
        assert_eq!(ended.code, Some(78), "{ended:?}");
        sentinels.check(flag, format!("{}\n{}", ended.stdout, ended.stderr));
    }
}
