//! Reloading, by a hangup or because a file has changed: what is new takes effect, what is wrong does not, and nobody who
//! uses the proxy notices either.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "what a test needs fails by panicking, outside of its function too"
)]

mod files;
mod hangup;
mod listeners;
mod load;
mod refused;
#[path = "../support/mod.rs"]
mod support;
mod trust;

use std::{fs, path::Path};

use rustix::process::Signal;
use serde_json::Value;
use support::{
    client::Client,
    daemon::Daemon,
    log::records,
    setup::{Setup, write_secret},
    stage::{OK, Stage},
    upstream::{Received, Upstream},
};
use undersign::oauth::{
    Authorization, BaseUri, Credentials, RequestToSign, SigningOptions, Verifier,
};

/// What is logged about reloads.
const RELOADED: &str = "reloaded";
const REFUSED: &str = "can't reload: what was loaded before serves on";

/// A daemon, an upstream that answers everything, and an admin listener.
#[track_caller]
fn stage(set_up: impl FnOnce(Setup) -> Setup) -> Stage {
    Stage::with(
        |setup| set_up(with_admin(setup)),
        |peer| peer.answer_all(OK),
    )
}

fn with_admin(setup: Setup) -> Setup {
    let address = socket(setup.directory(), "admin.sock");
    setup.document(&format!("[admin]\nlisten = '{address}'"))
}

/// The address of a Unix socket.
fn socket(directory: &Path, name: &str) -> String {
    format!("unix:{}", directory.join(name).display())
}

fn directory(daemon: &Daemon) -> &Path {
    daemon.process().directory()
}

/// The causes of a reload.
const HANGUP: &str = "SIGHUP";
const CHANGE: &str = "a file has changed";

/// The records about reloads with this cause among the lines of a log.
fn about_reloads(lines: &[String], cause: &str) -> Vec<Value> {
    // Under load there are thousands of other lines, which are not worth being parsed each time.
    let lines: Vec<_> = lines
        .iter()
        .filter(|line| line.contains(cause))
        .cloned()
        .collect();
    records(&lines)
        .filter(|record| record["cause"] == cause)
        .filter(|record| {
            [RELOADED, REFUSED]
                .iter()
                .any(|text| record["message"] == *text)
        })
        .collect()
}

/// Does something, and waits for the next record about a reload with this cause.
#[track_caller]
fn after(daemon: &Daemon, cause: &str, act: impl FnOnce()) -> Value {
    let before = about_reloads(&daemon.log().lines(), cause).len();
    act();
    let record = daemon
        .log()
        .wait_for(|lines| about_reloads(lines, cause).get(before).cloned());
    record.unwrap_or_else(|| panic!("it ended: {:#?}", daemon.log().lines()))
}

/// Has a daemon reload, and checks that it does.
#[track_caller]
fn hang_up(daemon: &Daemon) {
    let record = after(daemon, HANGUP, || daemon.signal(Signal::HUP));
    assert_eq!(record["message"], RELOADED, "{record:#}");
}

/// Has a daemon reload, and checks that it refuses to; returns why.
#[track_caller]
fn hang_up_in_vain(daemon: &Daemon) -> String {
    fault_of(&after(daemon, HANGUP, || daemon.signal(Signal::HUP)))
}

/// Changes a file, and checks that a daemon reloads for it.
#[track_caller]
fn change(daemon: &Daemon, act: impl FnOnce()) {
    let record = after(daemon, CHANGE, act);
    assert_eq!(record["message"], RELOADED, "{record:#}");
}

/// Changes a file, and checks that a daemon refuses it; returns why.
#[track_caller]
fn change_in_vain(daemon: &Daemon, act: impl FnOnce()) -> String {
    fault_of(&after(daemon, CHANGE, act))
}

#[track_caller]
fn fault_of(record: &Value) -> String {
    assert_eq!(record["message"], REFUSED, "{record:#}");
    assert_eq!(record["level"], "ERROR");
    record["fault"].as_str().unwrap().to_owned()
}

/// Replaces a text of the configuration file by another.
#[track_caller]
fn edit(daemon: &Daemon, from: &str, to: &str) {
    let path = directory(daemon).join("undersign.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "no {from} in {text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

/// Puts a file in the place of another, as programs do that care.
fn replace(directory: &Path, name: &str, content: &str) {
    let new = write_secret(directory, &format!("{name}.new"), content);
    fs::rename(new, directory.join(name)).unwrap();
}

/// The daemon's credentials with another consumer secret.
fn with_secret(daemon: &Daemon, secret: &str) -> Credentials {
    Credentials {
        consumer_secret: secret.into(),
        ..daemon.credentials().clone()
    }
}

/// Checks what a request without content was signed with.
#[track_caller]
fn assert_signed(upstream: &Upstream, request: &Received, credentials: &Credentials) {
    assert!(is_signed(upstream, request, credentials), "{request:?}");
}

fn is_signed(upstream: &Upstream, request: &Received, credentials: &Credentials) -> bool {
    let field = request.head.only("authorization");
    let authorization = Authorization::parse(field.as_bytes()).unwrap();
    let address = upstream.address();
    let origin = BaseUri::new(true, &address.ip().to_string(), address.port());
    let verifier = Verifier::new(credentials, &SigningOptions::default(), origin);
    let line = std::str::from_utf8(request.head.first_line()).unwrap();
    let mut words = line.split(' ');
    let to_verify = RequestToSign {
        method: words.next().unwrap(),
        target: words.next().unwrap().as_bytes(),
        form: None,
    };
    verifier.verify(&to_verify, &authorization).is_ok()
}

/// The last request that has reached an upstream.
#[track_caller]
fn last(upstream: &Upstream) -> Received {
    upstream.requests().pop().unwrap()
}

/// The value of a metric, or of one of its series.
#[track_caller]
fn metric(daemon: &Daemon, name: &str) -> u64 {
    let mut client = Client::unix(&directory(daemon).join("admin.sock"));
    client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let text = String::from_utf8(client.response().body).unwrap();
    let value = text.lines().find_map(|line| {
        let (found, value) = line.rsplit_once(' ')?;
        (found == name).then(|| value.parse().unwrap())
    });
    value.unwrap_or_else(|| panic!("no {name} in {text}"))
}
