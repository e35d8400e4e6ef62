//! `undersign doctor` as a black box: what it says of each step, and that it gives nothing away.

#![expect(
    clippy::unwrap_used,
    reason = "clippy allows it in functions marked as tests alone"
)]

mod answers;
mod certificates;
#[path = "../support/mod.rs"]
mod support;
mod way;

use std::{
    fs, io,
    path::Path,
    time::{Duration, SystemTime},
};

use support::{
    certificates::Certificate,
    command::{Ended, undersign},
    peer::Peer,
    setup::write_secret,
    stage::OK,
    upstream::Upstream,
};
use tempfile::TempDir;

/// An answer that does not tell the time.
const OK_WITHOUT_DATE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Stands in each secret.
const SENTINEL: &str = "S3NTINEL";

fn directory(file: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    write_secret(directory.path(), "secret", "S3NTINEL-consumer-secret");
    write_secret(directory.path(), "token-secret", "S3NTINEL-token-secret");
    fs::write(directory.path().join("undersign.toml"), file).unwrap();
    directory
}

fn proxy(name: &str, upstream: &str, tls: &str) -> String {
    format!(
        "[proxy.{name}]\nlisten = '127.0.0.1:0'\nupstream = '{upstream}'\nconsumer_key = 'key'\n\
         consumer_secret_file = 'secret'\ntoken = 'token'\ntoken_secret_file = 'token-secret'\n\
         [proxy.{name}.timeouts]\nconnect = '2s'\n[proxy.{name}.tls]\n{tls}\n"
    )
}

/// Examines, and checks that nothing secret is printed.
#[track_caller]
fn doctor_in(directory: &Path, words: &[&str]) -> Ended {
    let ended = undersign(directory, &[&["doctor"][..], words].concat(), &[]);
    let output = format!("{ended:?}");
    for secret in [SENTINEL, "oauth_signature", "oauth_nonce", "Authorization"] {
        assert!(!output.contains(secret), "{output}");
    }
    ended
}

/// Examines one proxy; checks the exit code, and that there are lines that begin so, in this order.
#[track_caller]
fn check(upstream: &str, tls: &str, words: &[&str], code: i32, expected: &[&str]) -> Ended {
    let directory = directory(&proxy("test", upstream, tls));
    let ended = doctor_in(directory.path(), words);
    check_lines(&ended, code, expected);
    ended
}

#[track_caller]
fn check_lines(ended: &Ended, code: i32, expected: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:#?}");
    // How far the columns are apart does not matter.
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut lines = ended.stdout.lines().map(words);
    for expected in expected {
        let found = lines.any(|line| line.starts_with(expected));
        assert!(found, "{expected}\n{}", ended.stdout);
    }
}

fn answering(certificate: &Certificate, answer: &str) -> Upstream {
    let answer = answer.to_owned();
    Upstream::tls(certificate, move |peer| peer.answer_all(&answer))
}

/// An answer that bears a time so many seconds from now.
fn dated(status: &str, seconds: i64, fields: &str) -> String {
    let ahead = Duration::from_secs(seconds.unsigned_abs());
    let now = SystemTime::now();
    let date = if seconds < 0 {
        now - ahead
    } else {
        now + ahead
    };
    let date = httpdate::fmt_http_date(date);
    format!("HTTP/1.1 {status}\r\nDate: {date}\r\n{fields}Content-Length: 2\r\n\r\nok")
}

/// Answers whatever is asked.
fn answer(peer: &mut Peer) -> io::Result<()> {
    peer.answer_all(OK)
}
