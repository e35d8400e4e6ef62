//! The admin listener: whether the daemon is alive and ready, and what it has counted.

mod support;

use std::{fs, path::Path};

use rustix::{
    fs::{CWD, FileType, Mode, mknodat},
    process::Signal,
};
use support::{
    client::{Client, Response},
    command::undersign,
    log::records,
    setup::Setup,
    stage::{GET, OK, Stage, eventually, fine},
};

/// An upstream that answers everything, and a daemon.
#[track_caller]
fn stage(set_up: impl FnOnce(Setup) -> Setup) -> Stage {
    Stage::with(set_up, |peer| peer.answer_all(OK))
}

/// A daemon with an admin listener, on a Unix socket.
fn with_admin(directory: &Path, setup: Setup) -> Setup {
    let path = directory.join("admin.sock");
    setup.document(&format!("[admin]\nlisten = 'unix:{}'", path.display()))
}

#[track_caller]
fn ask_admin(directory: &Path, path: &str) -> Response {
    let mut client = Client::unix(&directory.join("admin.sock"));
    client.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    client.response()
}

#[track_caller]
fn healthcheck(directory: &Path) -> Option<i32> {
    let address = format!("unix:{}", directory.join("admin.sock").display());
    let by_flag = undersign(directory, &["healthcheck", "--admin-listen", &address], &[]);
    let variables = [("UNDERSIGN_ADMIN_LISTEN", &*address)];
    let by_variable = undersign(directory, &["healthcheck"], &variables);
    assert_eq!(by_flag.code, by_variable.code);
    by_flag.code
}

#[test]
fn the_admin_listener_tells_how_the_daemon_is() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let stage = stage(|setup| with_admin(directory, setup));
    stage.fetch();
    assert_eq!(ask_admin(directory, "/livez").status, 200);
    assert_eq!(ask_admin(directory, "/readyz").status, 200);
    assert_eq!(ask_admin(directory, "/nothing").status, 404);
    eventually("the exchange is counted", || {
        let metrics = ask_admin(directory, "/metrics");
        assert_eq!(metrics.status, 200);
        let text = String::from_utf8(metrics.body).unwrap();
        let count = "undersign_exchanges_total{proxy=\"test\",method=\"GET\",status=\"200\",error_type=\"\"} 1";
        text.lines().any(|line| line == count)
    });
    assert_eq!(healthcheck(directory), Some(0));
    // None of it is an exchange.
    stage.finish(&[fine(200)]);
    assert_eq!(healthcheck(directory), Some(1));
    assert_eq!(undersign(directory, &["healthcheck"], &[]).code, Some(78));
}

#[test]
fn a_draining_daemon_is_alive_and_not_ready() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let stage = Stage::with(
        |setup| with_admin(directory, setup),
        |peer| {
            peer.request()?;
            peer.pause()?;
            peer.send(OK)
        },
    );
    let mut client = stage.ask(GET);
    stage
        .upstream
        .wait("a request", |seen| seen.requests.len() == 1);
    stage.daemon.signal(Signal::TERM);
    eventually("it is not ready", || {
        ask_admin(directory, "/readyz").status == 503
    });
    assert_eq!(ask_admin(directory, "/livez").status, 200);
    assert_eq!(healthcheck(directory), Some(1));
    stage.upstream.go_on();
    assert_eq!(client.response().body, b"ok");
    let (code, lines) = stage.daemon.wait();
    assert_eq!(code, Some(0), "{lines:#?}");
}

#[test]
fn the_port_that_was_picked_for_the_admin_listener_is_logged() {
    let stage = stage(|setup| setup.document("[admin]\nlisten = '127.0.0.1:0'"));
    let told = stage.daemon.log().wait_for(|lines| {
        records(lines).find(|record| record["message"] == "the admin listener is ready")
    });
    let address = told.unwrap()["address"].as_str().unwrap().to_owned();
    let words = ["healthcheck", "--admin-listen", &address];
    let ended = undersign(Path::new("."), &words, &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    stage.finish(&[]);
}

/// Waits until so many records are counted as lost.
#[track_caller]
fn loses(directory: &Path, count: u64) {
    eventually("the loss is counted", || {
        let metrics = ask_admin(directory, "/metrics").body;
        let text = String::from_utf8_lossy(&metrics);
        let lost = text
            .lines()
            .find_map(|line| line.strip_prefix("undersign_log_records_lost_total "));
        lost.and_then(|lost| lost.parse().ok()) >= Some(count)
    });
}

#[test]
fn a_log_whose_reader_has_gone_costs_no_request_and_is_counted() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let pipe = directory.join("pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    // To write as well is what keeps the opening from waiting.
    let reader = fs::File::options().read(true).write(true).open(&pipe);
    let keys = format!("format = 'json'\nfile = '{}'", pipe.display());
    let stage = stage(|setup| with_admin(directory, setup).log(&keys));
    stage.fetch();
    drop(reader.unwrap());
    for _ in 0..5 {
        stage.fetch();
    }
    loses(directory, 5);
    stage.fetch();
    let (code, lines) = stage.daemon.stop();
    assert_eq!(code, Some(0), "{lines:#?}");
    let reports = lines.iter().filter(|line| line.contains("Broken pipe"));
    assert_eq!(reports.count(), 1, "{lines:#?}");
}

#[test]
fn a_log_on_a_full_disk_costs_no_request_and_is_counted() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let stage =
        stage(|setup| with_admin(directory, setup).log("format = 'json'\nfile = '/dev/full'"));
    for _ in 0..5 {
        stage.fetch();
    }
    loses(directory, 5);
    stage.fetch();
    let reported = |lines: &[String]| {
        lines
            .iter()
            .filter(|line| line.contains("No space left"))
            .count()
    };
    let (code, lines) = stage.daemon.stop();
    assert_eq!(code, Some(0));
    assert_eq!(reported(&lines), 1, "{lines:#?}");
}
