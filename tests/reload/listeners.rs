//! Listeners that come, stay and go.

use std::{io, path::Path};

use rustix::process::Signal;

use super::{directory, edit, hang_up, hang_up_in_vain, socket, stage};
use crate::support::{
    client::Client,
    daemon::Daemon,
    log::records,
    peer::Peer,
    setup::Setup,
    stage::{GET, OK, Stage, fine},
};

/// The address that a daemon listens on first, as its configuration has it.
const FIRST: &str = "\"127.0.0.1:0\"";

/// The addresses in ready lines, in their order.
fn listening(lines: &[String]) -> Vec<String> {
    records(lines)
        .filter(|record| record["message"] == "listening")
        .map(|record| record["address"].as_str().unwrap().to_owned())
        .collect()
}

fn connect(daemon: &Daemon, socket: &str) -> Client {
    Client::unix(&directory(daemon).join(socket))
}

#[test]
fn a_listener_that_is_added_serves_and_the_others_stay_as_they_are() {
    let stage = stage(|setup| setup);
    let daemon = &stage.daemon;
    let mut client = daemon.connect();
    Stage::fetch_on(&mut client);
    let new = socket(directory(daemon), "new.sock");
    edit(daemon, FIRST, &format!("{new:?}, {FIRST}"));
    hang_up(daemon);
    Stage::fetch_on(&mut client);
    stage.fetch();
    Stage::fetch_on(&mut connect(daemon, "new.sock"));
    let address = daemon.address().to_owned();
    let (code, lines) = stage.daemon.stop();
    assert_eq!(code, Some(0), "{lines:#?}");
    // Only what is new is said to listen.
    assert_eq!(listening(&lines), [address, new]);
}

#[test]
fn a_proxy_that_is_added_serves_and_leaves_again() {
    let stage = stage(|setup| setup);
    let Stage { daemon, upstream } = &stage;
    let table = format!(
        "[proxy.second]\nlisten = '{}'\nupstream = '{}'\nconsumer_key = 'second'\n\
         consumer_secret_file = 'consumer-secret'\ntls.trust = 'self-signed'\n\n[admin]",
        socket(directory(daemon), "second.sock"),
        upstream.url()
    );
    edit(daemon, "[admin]", &table);
    hang_up(daemon);
    let mut client = connect(daemon, "second.sock");
    Stage::fetch_on(&mut client);
    assert_eq!(daemon.log().exchange(0)["proxy"], "second");
    edit(daemon, &table, "[admin]");
    hang_up(daemon);
    // It is not used, and so it is closed.
    client.expect_close();
    assert!(!directory(daemon).join("second.sock").exists());
    stage.fetch();
    stage.finish(&[fine(200); 2]);
}

fn answer_when_told(peer: &mut Peer) -> io::Result<()> {
    loop {
        peer.request()?;
        peer.pause()?;
        peer.send(OK)?;
    }
}

#[test]
fn a_listener_that_is_removed_finishes_what_is_under_way() {
    let stage = Stage::with(
        |setup| {
            let old = socket(setup.directory(), "old.sock");
            setup.also_listen_at(&old)
        },
        answer_when_told,
    );
    let Stage { daemon, upstream } = &stage;
    let mut client = connect(daemon, "old.sock");
    client.send(GET);
    upstream.wait("a request", |seen| seen.requests.len() == 1);
    let old = socket(directory(daemon), "old.sock");
    edit(daemon, &format!(", {old:?}"), "");
    hang_up(daemon);
    assert!(!directory(daemon).join("old.sock").exists());
    // The proxy serves on meanwhile, at its other address.
    let mut other = stage.ask(GET);
    upstream.wait("a request", |seen| seen.requests.len() == 2);
    for client in [&mut client, &mut other] {
        upstream.go_on();
        upstream.go_on();
        assert_eq!(client.response().body, b"ok");
    }
    client.expect_close();
    upstream.go_on();
    Stage::fetch_on(&mut other);
    drop(other);
    stage.finish(&[fine(200); 3]);
}

#[test]
fn a_proxy_that_is_renamed_keeps_its_address_and_its_clients() {
    let stage = stage(Setup::listen_on_unix_socket);
    let daemon = &stage.daemon;
    let mut client = connect(daemon, "proxy.sock");
    Stage::fetch_on(&mut client);
    edit(daemon, "[proxy.test", "[proxy.renamed");
    hang_up(daemon);
    Stage::fetch_on(&mut client);
    Stage::fetch_on(&mut connect(daemon, "proxy.sock"));
    let proxies: Vec<_> = daemon.log().exchanges(3);
    let proxies: Vec<_> = proxies.iter().map(|record| &record["proxy"]).collect();
    assert_eq!(proxies, ["test", "renamed", "renamed"]);
}

#[test]
fn a_socket_is_neither_opened_to_other_users_nor_closed_to_them_while_it_serves() {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    let own = rustix::process::geteuid().as_raw();
    let (closed, open) = (
        "allowed_uids = []".to_owned(),
        format!("allowed_uids = [{own}, {}]", own + 1),
    );
    for (before, after, mode) in [(&closed, &open, 0o600), (&open, &closed, 0o666)] {
        let stage = stage(|setup| setup.listen_on_unix_socket().table("access", before));
        let daemon = &stage.daemon;
        let path = directory(daemon).join("proxy.sock");
        edit(daemon, before, after);
        let fault = hang_up_in_vain(daemon);
        assert!(
            fault.starts_with("proxy.test.access.allowed_uids: "),
            "{fault}"
        );
        let found = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode);
        Stage::fetch_on(&mut connect(daemon, "proxy.sock"));
        // At another path it is another socket.
        edit(daemon, "proxy.sock", "other.sock");
        hang_up(daemon);
        Stage::fetch_on(&mut connect(daemon, "other.sock"));
        assert!(!path.exists());
    }
}

#[test]
fn a_daemon_that_stops_takes_a_hangup_for_nothing() {
    let stage = Stage::with(|setup| setup, answer_when_told);
    let Stage { daemon, upstream } = &stage;
    let mut client = stage.ask(GET);
    upstream.wait("a request", |seen| seen.requests.len() == 1);
    let new = socket(directory(daemon), "new.sock");
    edit(daemon, FIRST, &format!("{new:?}"));
    let path = directory(daemon).join("new.sock");
    hang_up(daemon);
    assert!(Path::new(&path).exists());
    daemon.signal(Signal::TERM);
    daemon.signal(Signal::HUP);
    upstream.go_on();
    assert_eq!(client.response().body, b"ok");
    let (code, lines) = stage.daemon.wait();
    assert_eq!(code, Some(0), "{lines:#?}");
    assert!(!path.exists());
}
