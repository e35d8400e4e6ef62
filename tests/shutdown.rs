//! Signals: what is under way is finished, nothing new is begun, and the log goes where it should.

mod support;

use std::{fs, io, net::TcpStream, thread, time::Duration};

use rustix::process::Signal;
use support::{
    client::{Client, End},
    log::{exchanges, records},
    peer::Peer,
    stage::{GET, OK, Stage, eventually, fine, lines_of},
};

/// Waits until no new client can connect.
#[track_caller]
fn refuses_connections(stage: &Stage) {
    let address = stage.daemon.socket_address();
    eventually("connections are refused", || {
        let refused = TcpStream::connect(address).map_err(|error| error.kind());
        refused.is_err_and(|kind| kind == io::ErrorKind::ConnectionRefused)
    });
}

/// Waits for the end of the daemon, and checks that it was clean, and how many exchanges there were.
#[track_caller]
fn ends_cleanly(stage: Stage, exchanges_before: usize) {
    let (code, lines) = stage.daemon.wait();
    assert_eq!(code, Some(0), "{lines:#?}");
    let exchanges = exchanges(&lines);
    assert_eq!(exchanges.len(), exchanges_before, "{lines:#?}");
    for record in exchanges {
        assert!(record["error.type"].is_null(), "{record:#}");
    }
}

fn answer_when_told(peer: &mut Peer) -> io::Result<()> {
    peer.request()?;
    peer.pause()?;
    peer.send(OK)?;
    peer.until_end().map(drop)
}

#[test]
fn a_request_under_way_is_answered_and_its_connection_closed() {
    for signal in [Signal::TERM, Signal::INT] {
        let stage = Stage::new(answer_when_told);
        let mut client = stage.ask(GET);
        stage
            .upstream
            .wait("a request", |seen| seen.requests.len() == 1);
        stage.daemon.signal(signal);
        refuses_connections(&stage);
        stage.upstream.go_on();
        let response = client.response();
        assert_eq!(response.body, b"ok");
        assert!(response.head.connection_says("close"), "{response:?}");
        client.expect_close();
        ends_cleanly(stage, 1);
    }
}

#[test]
fn an_answer_under_way_is_finished() {
    let stage = Stage::new(|peer| {
        peer.request()?;
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")?;
        peer.pause()?;
        peer.send(b"world")?;
        peer.until_end().map(drop)
    });
    let mut client = stage.ask(GET);
    client.response_head();
    assert_eq!(client.bytes(5), b"hello");
    stage.daemon.signal(Signal::TERM);
    refuses_connections(&stage);
    stage.upstream.go_on();
    assert_eq!(client.rest(), (b"world".to_vec(), End::Closed));
    ends_cleanly(stage, 1);
}

#[test]
fn an_upload_under_way_is_finished() {
    let stage = Stage::new(|peer| {
        peer.request()?;
        peer.send(OK)?;
        peer.until_end().map(drop)
    });
    let mut client =
        stage.ask(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhello");
    stage
        .upstream
        .wait("a request", |seen| seen.requests.len() == 1);
    stage.daemon.signal(Signal::TERM);
    refuses_connections(&stage);
    client.send(b"world");
    assert_eq!(client.response().body, b"ok");
    assert_eq!(stage.upstream.requests()[0].body, b"helloworld");
    client.expect_close();
    ends_cleanly(stage, 1);
}

#[test]
fn idle_connections_do_not_hold_the_end_up() {
    let stage = Stage::new(|peer| peer.answer_all(OK));
    let mut fresh = stage.daemon.connect();
    let mut kept = stage.daemon.connect();
    Stage::fetch_on(&mut kept);
    stage.daemon.signal(Signal::TERM);
    kept.expect_close();
    fresh.expect_close();
    ends_cleanly(stage, 1);
}

#[test]
fn a_second_signal_ends_at_once() {
    for second in [Signal::TERM, Signal::INT] {
        let stage = Stage::new(|peer| {
            peer.request()?;
            peer.until_end().map(drop)
        });
        let mut client = stage.ask(GET);
        stage
            .upstream
            .wait("a request", |seen| seen.requests.len() == 1);
        stage.daemon.signal(Signal::TERM);
        refuses_connections(&stage);
        stage.daemon.signal(second);
        let (code, lines) = stage.daemon.wait();
        assert_eq!(code, Some(1), "{lines:#?}");
        // A close would be that of an idle connection, on which nothing has been asked.
        assert_eq!(client.rest(), (Vec::new(), End::Reset));
        // However an exchange ends, it is recorded.
        let records = exchanges(&lines);
        assert_eq!(records.len(), 1, "{lines:#?}");
        assert_eq!(records[0]["error.type"], "proxy_internal_error");
        assert!(records[0]["error.message"].is_string(), "{:#}", records[0]);
    }
}

#[test]
fn after_a_rotation_and_a_hangup_records_go_to_the_new_file() {
    let directory = tempfile::tempdir().unwrap();
    let (path, rotated) = (directory.path().join("log"), directory.path().join("log.1"));
    let keys = format!("format = 'json'\nfile = '{}'", path.display());
    let stage = Stage::with(|setup| setup.log(&keys), |peer| peer.answer_all(OK));
    let mut client: Client = stage.daemon.connect();
    Stage::fetch_on(&mut client);
    fs::rename(&path, &rotated).unwrap();
    Stage::fetch_on(&mut client);
    stage.daemon.signal(Signal::HUP);
    eventually("a new log", || path.exists());
    // The connection has survived.
    Stage::fetch_on(&mut client);
    drop(client);
    let (code, stderr) = stage.daemon.stop();
    assert_eq!(code, Some(0), "{stderr:#?}");
    let (old, new) = (lines_of(&rotated), lines_of(&path));
    assert_eq!(exchanges(&old).len(), 2, "{old:#?}");
    assert_eq!(exchanges(&new).len(), 1, "{new:#?}");
    // Standard error has the ready line, and nothing of the log.
    let said: Vec<_> = records(&stderr)
        .map(|record| record["message"].clone())
        .collect();
    assert_eq!(said, ["listening"], "{stderr:#?}");
}

#[test]
fn a_log_that_can_not_be_reopened_goes_on_where_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let (path, rotated) = (directory.path().join("log"), directory.path().join("log.1"));
    let keys = format!("format = 'json'\nfile = '{}'", path.display());
    let stage = Stage::with(|setup| setup.log(&keys), |peer| peer.answer_all(OK));
    stage.fetch();
    fs::rename(&path, &rotated).unwrap();
    fs::create_dir(&path).unwrap();
    stage.daemon.signal(Signal::HUP);
    eventually("the fault is logged", || {
        fs::read_to_string(&rotated)
            .unwrap()
            .contains("can't reopen the log")
    });
    stage.fetch();
    let (code, stderr) = stage.daemon.stop();
    assert_eq!(code, Some(0), "{stderr:#?}");
    assert_eq!(exchanges(&lines_of(&rotated)).len(), 2);
    // Nobody may look at the file that was moved away.
    let told =
        "undersign: log.file: can't reopen the log; the old one stays in use: Is a directory";
    assert!(
        stderr.iter().any(|line| line.starts_with(told)),
        "{stderr:#?}"
    );
}

#[test]
fn a_hangup_interrupts_nothing() {
    let stage = Stage::new(answer_when_told);
    let mut client = stage.ask(GET);
    stage
        .upstream
        .wait("a request", |seen| seen.requests.len() == 1);
    for _ in 0..3 {
        stage.daemon.signal(Signal::HUP);
    }
    // There is nothing to wait for: whatever a hangup does has to do no harm.
    thread::park_timeout(Duration::from_millis(100));
    stage.upstream.go_on();
    let response = client.response();
    assert_eq!(response.body, b"ok");
    assert!(!response.head.connection_says("close"), "{response:?}");
    stage.finish(&[fine(200)]);
}

#[test]
fn an_answer_that_a_second_signal_cuts_off_does_not_look_complete() {
    for version in ["1.0", "1.1"] {
        let stage = Stage::new(|peer| {
            peer.request()?;
            peer.send(b"HTTP/1.1 200 OK\r\n\r\nhello")?;
            peer.until_end().map(drop)
        });
        let mut client = stage.ask(format!("GET / HTTP/{version}\r\nHost: localhost\r\n\r\n"));
        client.response_head();
        client.bytes(5);
        stage.daemon.signal(Signal::TERM);
        refuses_connections(&stage);
        stage.daemon.signal(Signal::TERM);
        let (_, end) = client.rest();
        assert_eq!(end, End::Reset, "{version}");
        let (code, lines) = stage.daemon.wait();
        assert_eq!(code, Some(1), "{lines:#?}");
        let records = exchanges(&lines);
        assert_eq!(records.len(), 1, "{lines:#?}");
        assert_eq!(records[0]["error.type"], "proxy_internal_error");
    }
}
