//! What systemd does for the daemon, done by these tests in its place: sockets that are passed, and notifications.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "what a test needs fails by panicking, outside of its function too"
)]

mod support;

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::{
        fs::FileTypeExt as _,
        net::{UnixDatagram, UnixListener, UnixStream},
    },
    path::Path,
};

use rustix::process::Signal;
use support::{
    DEADLINE,
    certificates::Certificate,
    client::Client,
    command::undersign,
    daemon::{Daemon, Process},
    log::records,
    setup::{Setup, write_secret},
    stage::{GET, OK, Stage, fine, finish},
    upstream::Upstream,
};
use tempfile::TempDir;

/// The socket that notifications go to.
struct Manager {
    socket: UnixDatagram,
    directory: TempDir,
}

impl Manager {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(directory.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        Self { socket, directory }
    }

    /// Has the daemon notify this socket.
    fn of(&self, setup: Setup) -> Setup {
        let path = self.directory.path().join("notify");
        setup.variable("NOTIFY_SOCKET", path.to_str().unwrap())
    }

    /// The lines of the next notification.
    #[track_caller]
    fn next(&self) -> Vec<String> {
        let mut buffer = [0; 4096];
        let length = self.socket.recv(&mut buffer).expect("a notification");
        let text = std::str::from_utf8(&buffer[..length]).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// Checks that nothing has been said so far.
    #[track_caller]
    fn expect_silence(&self) {
        self.socket.set_nonblocking(true).unwrap();
        assert!(self.socket.recv(&mut [0; 4096]).is_err());
        self.socket.set_nonblocking(false).unwrap();
    }
}

fn upstream() -> Upstream {
    Upstream::tls(&Certificate::self_signed(), |peer| peer.answer_all(OK))
}

fn tcp() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// Checks that the daemon does not start, exits with 78, and says this about this key.
#[track_caller]
fn check_refused(process: Process, key: &str, problem: &str) {
    let (code, lines) = process.wait();
    assert_eq!(code, Some(78), "{lines:#?}");
    let said = |line: &String| line.contains(key) && line.contains(problem);
    assert!(lines.iter().any(said), "{key}, {problem}: {lines:#?}");
}

#[test]
fn systemd_is_told_of_readiness_once_connections_are_served() {
    let (manager, upstream) = (Manager::new(), upstream());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("proxy.sock");
    let setup = Setup::new(upstream.url())
        .listen_at(&format!("unix:{}", path.display()))
        .also_listen_at("127.0.0.1:0");
    let process = manager.of(setup).spawn();
    let said = manager.next();
    assert_eq!(said, ["READY=1", "STATUS=serving"]);
    // Without looking at its log first.
    Stage::fetch_on(&mut Client::unix(&path));
    finish(process.ready(), &[fine(200)]);
    assert_eq!(manager.next()[0], "STOPPING=1");
    manager.expect_silence();
}

#[test]
fn a_daemon_that_can_not_start_is_never_ready() {
    let manager = Manager::new();
    let taken = tcp();
    let setup =
        Setup::new("https://up.example").listen_at(&taken.local_addr().unwrap().to_string());
    let (code, lines) = manager.of(setup).spawn().wait();
    assert_eq!(code, Some(69), "{lines:#?}");
    manager.expect_silence();
}

#[test]
fn systemd_is_told_of_the_end_while_exchanges_are_finished() {
    let manager = Manager::new();
    let upstream = Upstream::tls(&Certificate::self_signed(), |peer| {
        peer.request()?;
        peer.pause()?;
        peer.send(OK)
    });
    let daemon = manager.of(Setup::new(upstream.url())).start();
    assert_eq!(manager.next()[0], "READY=1");
    let mut client = daemon.connect();
    client.send(GET);
    upstream.wait("a request", |seen| seen.requests.len() == 1);
    daemon.signal(Signal::TERM);
    assert_eq!(
        manager.next(),
        ["STOPPING=1", "STATUS=finishing what is under way"]
    );
    upstream.go_on();
    assert_eq!(client.response().status, 200);
    let (code, lines) = daemon.wait();
    assert_eq!(code, Some(0), "{lines:#?}");
}

#[test]
fn systemd_is_told_of_a_reload_when_it_begins_and_when_it_is_done() {
    let (manager, upstream, listener) = (Manager::new(), upstream(), tcp());
    let setup = Setup::new(upstream.url())
        .listen_at("systemd:web")
        .pass("web", listener);
    let daemon = manager.of(setup).start();
    assert_eq!(manager.next()[0], "READY=1");
    let file = daemon.process().directory().join("undersign.toml");
    let right = fs::read_to_string(&file).unwrap();
    let wrong = right.replace("systemd:web", "systemd:missing");
    let refused = "STATUS=serving what was loaded before: the last reload was refused, see the log";
    let mut last = 0;
    for (text, status) in [(&wrong, refused), (&right, "STATUS=serving")] {
        fs::write(&file, text).unwrap();
        daemon.signal(Signal::HUP);
        let said = manager.next();
        assert_eq!((&*said[0], &*said[2]), ("RELOADING=1", "STATUS=reloading"));
        let stamp = said[1].strip_prefix("MONOTONIC_USEC=").unwrap();
        let stamp: u64 = stamp.parse().unwrap();
        assert!(stamp > last, "{said:?}");
        last = stamp;
        assert_eq!(manager.next(), ["READY=1", status]);
        // The socket is the one that was passed, whatever came of the reload.
        Stage::fetch_on(&mut daemon.connect());
    }
    finish(daemon, &[fine(200), fine(200)]);
}

#[test]
fn a_passed_socket_is_put_aside_and_taken_up_again_by_reloads() {
    let (manager, upstream, listener) = (Manager::new(), upstream(), tcp());
    let setup = Setup::new(upstream.url())
        .listen_at("systemd:web")
        .pass("web", listener);
    let daemon = manager.of(setup).start();
    assert_eq!(manager.next()[0], "READY=1");
    let file = daemon.process().directory().join("undersign.toml");
    let with = fs::read_to_string(&file).unwrap();
    let reload = |text: &str| {
        fs::write(&file, text).unwrap();
        daemon.signal(Signal::HUP);
        assert_eq!(manager.next()[0], "RELOADING=1");
        assert_eq!(manager.next(), ["READY=1", "STATUS=serving"]);
    };
    reload(&with.replace("systemd:web", "127.0.0.1:0"));
    // Nobody accepts it, and nobody refuses it.
    let mut waiting = daemon.connect();
    waiting.send(GET);
    reload(&with);
    assert_eq!(waiting.response().status, 200);
    finish(daemon, &[fine(200)]);
}

#[test]
fn a_daemon_that_can_not_notify_warns_and_serves() {
    let upstream = upstream();
    for address in ["/missing/notify", "vsock:2:1"] {
        let daemon = Setup::new(upstream.url())
            .variable("NOTIFY_SOCKET", address)
            .start();
        Stage::fetch_on(&mut daemon.connect());
        let (code, lines) = daemon.stop();
        assert_eq!(code, Some(0), "{lines:#?}");
        let warned = records(&lines).any(|record| {
            let message = record["message"].as_str().unwrap_or_default();
            record["level"] == "WARN" && message.contains("NOTIFY_SOCKET")
        });
        assert!(warned, "{lines:#?}");
    }
}

#[test]
fn a_connection_that_came_before_the_daemon_is_served() {
    let (upstream, listener) = (upstream(), tcp());
    let address = listener.local_addr().unwrap();
    let mut early = Client::tcp(address);
    early.send(GET);
    let daemon = Setup::new(upstream.url())
        .listen_at("systemd:web")
        .pass("web", listener)
        .start();
    assert_eq!(early.response().body, b"ok");
    // The ready line names the address itself.
    assert_eq!(daemon.address(), address.to_string());
    Stage::fetch_on(&mut daemon.connect());
    finish(daemon, &[fine(200), fine(200)]);
}

#[test]
fn a_unix_socket_that_was_passed_stays_when_the_daemon_goes() {
    let upstream = upstream();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("proxy.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let start = |listener: UnixListener| {
        Setup::new(upstream.url())
            .listen_at("systemd")
            .pass("undersign.socket", listener)
            .start()
    };
    let daemon = start(listener.try_clone().unwrap());
    assert_eq!(daemon.address(), format!("unix:{}", path.display()));
    Stage::fetch_on(&mut daemon.connect());
    finish(daemon, &[fine(200)]);
    assert!(fs::symlink_metadata(&path).unwrap().file_type().is_socket());
    // Between two daemons nobody is refused.
    let mut between = Client::unix(&path);
    between.send(GET);
    let daemon = start(listener);
    assert_eq!(between.response().status, 200);
    finish(daemon, &[fine(200)]);
}

#[cfg(target_os = "linux")]
#[test]
fn an_abstract_socket_can_be_passed() {
    use std::os::{linux::net::SocketAddrExt as _, unix::net::SocketAddr};

    let (name, upstream) = (support::setup::random_text(16), upstream());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let daemon = Setup::new(upstream.url())
        .listen_at("systemd")
        .pass("web", UnixListener::bind_addr(&address).unwrap())
        .start();
    assert_eq!(daemon.address(), format!("unix:@{name}"));
    Stage::fetch_on(&mut Client::over(
        UnixStream::connect_addr(&address).unwrap(),
    ));
    finish(daemon, &[fine(200)]);
}

#[test]
fn sockets_of_one_name_are_listened_on_together_and_beside_others() {
    let upstream = upstream();
    let (first, second, other) = (tcp(), tcp(), tcp());
    let addresses = [&first, &second, &other].map(|l| l.local_addr().unwrap());
    let daemon = Setup::new(upstream.url())
        .listen_at("systemd:web")
        .also_listen_at("127.0.0.1:0")
        .document("[admin]\nlisten = 'systemd:admin'")
        .pass("web", first)
        .pass("admin", other)
        .pass("web", second)
        .start();
    for address in &addresses[..2] {
        Stage::fetch_on(&mut Client::tcp(*address));
    }
    let mut admin = Client::tcp(addresses[2]);
    admin.send("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(admin.response().status, 200);
    let mut admin = Client::tcp(addresses[2]);
    // A web page that has rebound its name is seen by that name, as where the daemon has bound the address itself.
    admin.send("GET /readyz HTTP/1.1\r\nHost: page.example\r\n\r\n");
    assert_eq!(admin.response().status, 421);
    finish(daemon, &[fine(200), fine(200)]);
}

#[test]
fn a_socket_that_can_not_be_had_is_wrong_configuration() {
    let check = |listen: &str, pass: &dyn Fn(Setup) -> Setup, key: &str, problem: &str| {
        let setup = Setup::new("https://up.example").listen_at(listen);
        check_refused(pass(setup).spawn(), key, problem);
    };
    let web = "systemd:web";
    let listen = "proxy.test.listen";
    check(web, &|setup| setup, listen, "no socket to this process");
    let other = |setup: Setup| setup.pass("other", tcp());
    check(web, &other, listen, "no socket of this name");
    let of_another_process = |setup: Setup| setup.prelude("export LISTEN_PID=1").pass("web", tcp());
    check(
        web,
        &of_another_process,
        listen,
        "no socket to this process",
    );
    let several = |setup: Setup| setup.pass("a", tcp()).pass("b", tcp());
    check("systemd", &several, listen, "one of a, b");
    let datagrams = |setup: Setup| setup.pass("web", UnixDatagram::unbound().unwrap());
    check(web, &datagrams, listen, "ListenStream=");
    let file = |setup: Setup| setup.pass("web", fs::File::open("Cargo.toml").unwrap());
    check(web, &file, listen, "ListenStream=");
    let connection = |setup: Setup| {
        let listener = tcp();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        setup.pass("web", client)
    };
    check(web, &connection, listen, "Accept=no");
    let unix_connection = |setup: Setup| setup.pass("web", UnixStream::pair().unwrap().0);
    check(web, &unix_connection, listen, "Accept=no");
    let twice = |setup: Setup| {
        let admin = "[admin]\nlisten = 'systemd:web'";
        setup.document(admin).pass("web", tcp())
    };
    check(web, &twice, listen, "same address as admin.listen");
    let two_for_admin = |setup: Setup| {
        let admin = "[admin]\nlisten = 'systemd:admin'";
        let setup = setup.document(admin).pass("admin", tcp());
        setup.pass("admin", tcp())
    };
    check(
        "127.0.0.1:0",
        &two_for_admin,
        "admin.listen",
        "several sockets",
    );
}

#[test]
fn a_passed_socket_that_other_machines_reach_has_to_be_allowed() {
    let everywhere = || TcpListener::bind("0.0.0.0:0").unwrap();
    let setup = || {
        Setup::new("https://up.example")
            .listen_at("systemd")
            .pass("web", everywhere())
    };
    let process = setup().spawn();
    check_refused(process, "proxy.test.listen", "other machines");
    let daemon = setup().keys("allow_nonlocal_listen = true").start();
    assert!(daemon.address().starts_with("0.0.0.0:"));
    finish(daemon, &[]);
    let admin = "[admin]\nlisten = 'systemd'";
    let setup = Setup::new("https://up.example").document(admin);
    let process = setup.pass("admin", everywhere()).spawn();
    check_refused(process, "admin.listen", "other machines");
}

#[test]
fn check_says_that_it_can_not_see_what_systemd_will_pass() {
    let directory = tempfile::tempdir().unwrap();
    write_secret(directory.path(), "secret", "S3NTINEL");
    let words = [
        &["check", "--listen", "systemd:web", "--consumer-key", "key"][..],
        &["--upstream", "https://up.example"],
        &["--consumer-secret-file", "secret"],
    ];
    let ended = undersign(directory.path(), &words.concat(), &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stdout.contains("listen = [\"systemd:web\"]"),
        "{ended:?}"
    );
    let note = "proxy.default.listen: systemd passes sockets to the daemon alone";
    assert!(ended.stderr.contains(note), "{ended:?}");
}

#[test]
fn commands_get_neither_the_sockets_nor_the_variables() {
    let (upstream, manager, listener) = (upstream(), Manager::new(), tcp());
    let seen = manager.directory.path().join("seen");
    let script = format!(
        "(ls -l /proc/self/fd; env) > {}; echo secret",
        seen.display()
    );
    let keys = format!("token = 't'\ntoken_secret_command = ['/bin/sh', '-c', '{script}']");
    let setup = Setup::new(upstream.url())
        .listen_at("systemd:web")
        .keys(&keys)
        .variable("PATH", "/usr/bin:/bin")
        .variable("WATCHDOG_USEC", "1")
        .pass("web", listener);
    let daemon: Daemon = manager.of(setup).start();
    finish(daemon, &[]);
    let seen = fs::read_to_string(Path::new(&seen)).unwrap();
    assert!(seen.contains("PATH="), "{seen}");
    for word in ["LISTEN_", "NOTIFY_SOCKET", "WATCHDOG_", "socket:"] {
        assert!(!seen.contains(word), "{word}: {seen}");
    }
}
