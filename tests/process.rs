//! The daemon as a process: how it starts, what it says, how it fails to start, and what it shows of secrets.

mod support;

use std::{
    fs,
    net::TcpListener,
    os::unix::{
        fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
        net::UnixListener,
    },
    path::Path,
};

use rustix::process::Signal;
use secrecy::ExposeSecret as _;
use support::{
    command::undersign,
    log::{exchanges, records},
    setup::{Setup, write_secret},
    stage::{OK, Stage, eventually, fine, finish},
};

const SECRET: &str = "S3NTINEL-consumer-secret";

/// What flags alone have to say.
const FLAGS: [&str; 6] = [
    "--listen",
    "127.0.0.1:0",
    "--upstream",
    "https://up.example",
    "--consumer-key",
    "key",
];

/// An upstream that answers everything, and a daemon.
#[track_caller]
fn stage(set_up: impl FnOnce(Setup) -> Setup) -> Stage {
    Stage::with(set_up, |peer| peer.answer_all(OK))
}

#[test]
fn the_ready_line_says_where_it_listens_and_what_for() {
    let stage = stage(|setup| setup.log("format = 'text'"));
    let (address, url) = (stage.daemon.address().to_owned(), stage.upstream.url());
    stage.fetch();
    let (code, lines) = stage.daemon.stop();
    assert_eq!(code, Some(0));
    let ready = format!("listening proxy=test address={address} upstream={url}");
    let found = lines.iter().filter(|line| **line == ready).count();
    assert_eq!(found, 1, "{lines:#?}");
}

#[test]
fn the_ready_line_is_json_where_the_log_is() {
    let stage = stage(|setup| setup);
    let (address, url) = (stage.daemon.address().to_owned(), stage.upstream.url());
    let (_, lines) = stage.daemon.stop();
    let ready: Vec<_> = records(&lines)
        .filter(|record| record["message"] == "listening")
        .collect();
    assert_eq!(ready.len(), 1);
    assert_eq!(ready[0]["proxy"], "test");
    assert_eq!(ready[0]["address"], address);
    assert_eq!(ready[0]["upstream"], url);
}

#[test]
fn each_listener_has_its_ready_line() {
    let other = "\n[proxy.other]\nlisten = ['127.0.0.1:0', '[::1]:0']\nupstream = 'https://other.example'\n\
                 consumer_key = 'key'\nconsumer_secret_file = 'consumer-secret'";
    let daemon = Setup::new("https://up.example").document(other).start();
    let (_, lines) = daemon.stop();
    let mut ready: Vec<_> = records(&lines)
        .filter(|record| record["message"] == "listening")
        .map(|record| format!("{} {}", record["proxy"], record["upstream"]))
        .collect();
    ready.sort();
    let other = "\"other\" \"https://other.example\"";
    assert_eq!(ready, [other, other, "\"test\" \"https://up.example\""]);
}

#[test]
fn help_and_version_are_a_success() {
    let directory = tempfile::tempdir().unwrap();
    for words in [["--help"], ["--version"], ["man"]] {
        let ended = undersign(directory.path(), &words, &[]);
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{words:?}");
        assert!(ended.stdout.contains("undersign"), "{words:?}");
    }
}

#[test]
fn a_wrong_command_line_exits_with_64() {
    let directory = tempfile::tempdir().unwrap();
    let lines: [&[&str]; 4] = [
        &["--frobnicate"],
        &["frobnicate"],
        &["run", "--listen"],
        &["--consumer-secret", SECRET],
    ];
    for words in lines {
        let ended = undersign(directory.path(), words, &[]);
        assert_eq!((ended.code, &*ended.stdout), (Some(64), ""), "{words:?}");
        assert!(ended.stderr.contains("--help"), "{}", ended.stderr);
        assert!(!ended.stderr.contains(SECRET));
    }
}

#[test]
fn a_wrong_configuration_exits_with_78_after_naming_every_fault() {
    let directory = tempfile::tempdir().unwrap();
    let toml = "[log]\nformat = 'xml'\n[proxy.a]\nlisten = '0.0.0.0:1'\nupstream = 'http://up.example'\n\
                consumer_key = 'key'\nconsumer_secret_file = 'missing'\nfrobnicate = 1\n\
                [proxy.a.timeouts]\nidle = 'soon'\n[proxy.b]\n[proxy.b.tls]\nca_file = 'missing'\n";
    fs::write(directory.path().join("undersign.toml"), toml).unwrap();
    let keys = [
        "log.format",
        "proxy.a.listen",
        "proxy.a.upstream",
        "proxy.a.consumer_secret_file",
        "proxy.a.frobnicate",
        "proxy.a.timeouts.idle",
        "proxy.b.upstream",
        "proxy.b.consumer_key",
        "proxy.b.consumer_secret",
        "proxy.b.tls.ca_file",
    ];
    for word in ["run", "check"] {
        let ended = undersign(directory.path(), &[word], &[]);
        assert_eq!((ended.code, &*ended.stdout), (Some(78), ""), "{ended:?}");
        for key in keys {
            assert!(ended.stderr.contains(key), "{key}: {}", ended.stderr);
        }
    }
}

#[test]
fn certificates_that_can_not_be_used_are_wrong_configuration() {
    let cases = [
        ("ca_file = 'missing.pem'", "tls.ca_file"),
        ("ca_file = 'consumer-secret'", "tls.ca_file"),
        (
            "client_certificate_file = 'missing.pem'\nclient_key_file = 'missing.pem'",
            "tls.client_certificate_file",
        ),
    ];
    for (tls, key) in cases {
        let (code, lines) = Setup::new("https://up.example")
            .table("tls", tls)
            .spawn()
            .wait();
        assert_eq!(code, Some(78), "{lines:#?}");
        let named = lines.iter().any(|line| line.contains(key));
        assert!(named, "{lines:#?}");
    }
}

#[test]
fn check_prints_the_configuration_without_its_secrets() {
    let directory = tempfile::tempdir().unwrap();
    write_secret(directory.path(), "secret", SECRET);
    write_secret(directory.path(), "token-secret", "S3NTINEL-token-secret");
    let words = [
        &["check"][..],
        &FLAGS,
        &["--consumer-secret-file", "secret", "--token", "tok"],
        &["--token-secret-file", "token-secret"],
    ]
    .concat();
    let ended = undersign(directory.path(), &words, &[]);
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{ended:?}");
    for part in [
        "[proxy.default]",
        "\"https://up.example\"",
        "\"key\"",
        "\"tok\"",
        "first_byte",
    ] {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
    assert!(!ended.stdout.contains("S3NTINEL"), "{}", ended.stdout);
}

#[test]
fn an_address_in_use_exits_with_69() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let directory = tempfile::tempdir().unwrap();
    let words = ["--listen", &address];
    let words = [&FLAGS[2..], &words].concat();
    let ended = undersign(
        directory.path(),
        &words,
        &[("UNDERSIGN_CONSUMER_SECRET", SECRET)],
    );
    assert_eq!(ended.code, Some(69), "{ended:?}");
    assert!(ended.stderr.contains(&address), "{}", ended.stderr);
    assert!(!ended.stderr.contains("\"listening\""), "{}", ended.stderr);
    assert!(!ended.stderr.contains(SECRET), "{}", ended.stderr);
}

#[test]
fn a_log_that_can_not_be_opened_is_wrong_configuration() {
    let directory = tempfile::tempdir().unwrap();
    write_secret(directory.path(), "secret", SECRET);
    for file in ["no/such/directory/log", "."] {
        for word in ["run", "check"] {
            let words = [
                &[word][..],
                &FLAGS,
                &["--consumer-secret-file", "secret", "--log-file", file],
            ]
            .concat();
            let ended = undersign(directory.path(), &words, &[]);
            assert_eq!(ended.code, Some(78), "{words:?}: {ended:?}");
            assert!(ended.stderr.contains("log.file"), "{ended:?}");
        }
    }
}

#[test]
fn a_socket_whose_path_is_too_long_for_the_system_is_wrong_configuration() {
    let directory = tempfile::tempdir().unwrap();
    write_secret(directory.path(), "secret", SECRET);
    let long = format!("unix:/{}", "a".repeat(120));
    for (key, flag) in [
        ("proxy.default.listen", "--listen"),
        ("admin.listen", "--admin-listen"),
    ] {
        for word in ["run", "check"] {
            let given = ["--consumer-secret-file", "secret", flag, &long];
            // Without the address of its own.
            let words = [&[word][..], &FLAGS[2..], &given].concat();
            let ended = undersign(directory.path(), &words, &[]);
            assert_eq!(ended.code, Some(78), "{words:?}: {ended:?}");
            let told = format!("undersign: {key} ({flag}): is too long");
            assert!(ended.stderr.starts_with(&told), "{}", ended.stderr);
        }
    }
}

#[test]
fn no_secret_is_seen_from_outside() {
    let token_secret = "S3NTINEL-token-secret";
    let stage = stage(|setup| setup.token("tok", token_secret));
    stage.fetch();
    let consumer_secret = stage
        .daemon
        .credentials()
        .consumer_secret
        .expose_secret()
        .to_owned();
    let id = stage.daemon.process().id();
    let command_line = fs::read(format!("/proc/{id}/cmdline")).unwrap();
    // Only root may read this one; whoever else runs this test is kept out by the daemon itself.
    let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
    let request = stage.upstream.requests().remove(0);
    let (_, rest) = request
        .head
        .only("authorization")
        .split_once("oauth_signature=\"")
        .unwrap();
    let signature = rest.split('"').next().unwrap().to_owned();
    let (_, lines) = stage.daemon.stop();
    let shown = [
        String::from_utf8(command_line).unwrap(),
        String::from_utf8(environment).unwrap(),
        lines.join("\n"),
    ];
    for secret in [&consumer_secret, token_secret, &signature] {
        assert!(
            shown.iter().all(|text| !text.contains(secret)),
            "{shown:#?}"
        );
    }
}

#[test]
fn nobody_but_root_may_look_into_the_process() {
    let stage = stage(|setup| setup);
    let id = stage.daemon.process().id();
    // The system gives the files of a process that may not be dumped to root, whoever runs it.
    let owner = fs::metadata(format!("/proc/{id}/environ")).unwrap().uid();
    assert_eq!(owner, 0);
    stage.fetch();
    stage.finish(&[fine(200)]);
}

#[test]
fn a_unix_socket_is_its_owners_alone_and_goes_with_the_daemon() {
    let stage = stage(Setup::listen_on_unix_socket);
    let path = stage
        .daemon
        .address()
        .strip_prefix("unix:")
        .unwrap()
        .to_owned();
    let path = Path::new(&path);
    let file = fs::symlink_metadata(path).unwrap();
    assert!(file.file_type().is_socket());
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    stage.fetch();
    stage.daemon.signal(Signal::TERM);
    eventually("the socket's end", || fs::symlink_metadata(path).is_err());
    // Without a second signal, which would end it at once.
    let (code, lines) = stage.daemon.wait();
    assert_eq!(code, Some(0), "{lines:#?}");
    let records = exchanges(&lines);
    assert_eq!(records.len(), 1, "{lines:#?}");
    let client = records[0]["client.address"].as_str().unwrap();
    assert!(client.starts_with("unix:uid="), "{client}");
}

#[test]
fn a_unix_socket_that_a_crash_has_left_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("proxy.sock");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let stage = stage(|setup| setup.listen_at(&format!("unix:{}", path.display())));
    stage.fetch();
    stage.finish(&[fine(200)]);
    assert!(!path.exists());
}

#[test]
fn a_unix_socket_in_use_and_a_file_that_is_no_socket_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let (busy, file) = (
        directory.path().join("busy.sock"),
        directory.path().join("file"),
    );
    let _listener = UnixListener::bind(&busy).unwrap();
    fs::write(&file, "precious").unwrap();
    for path in [&busy, &file] {
        let (code, lines) = Setup::new("https://up.example")
            .listen_at(&format!("unix:{}", path.display()))
            .spawn()
            .wait();
        assert_eq!(code, Some(69), "{lines:#?}");
        assert!(path.exists());
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
}

#[test]
fn a_variable_overrides_the_file() {
    let stage = stage(|setup| setup);
    let url = stage.upstream.url();
    let daemon = Setup::new("https://nowhere.invalid")
        .variable("UNDERSIGN_UPSTREAM", &url)
        .start();
    Stage::fetch_on(&mut daemon.connect());
    finish(daemon, &[fine(200)]);
    assert_eq!(stage.upstream.requests().len(), 1);
}

#[test]
fn a_crash_leaves_no_core_that_would_hold_secrets() {
    let stage = stage(|setup| setup);
    let id = stage.daemon.process().id();
    let limits = fs::read_to_string(format!("/proc/{id}/limits")).unwrap();
    let core = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max core file size"));
    let values: Vec<_> = core.unwrap().split_whitespace().collect();
    // The hard limit too, so that nothing raises it again.
    assert_eq!(values, ["0", "0", "bytes"]);
}

#[test]
fn output_that_is_lost_is_no_success() {
    let run = |output: &str| {
        let script = format!("exec \"$0\" man > {output}");
        let mut shell = std::process::Command::new("/bin/sh");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_undersign")]);
        let ended = shell.output().unwrap();
        (
            ended.status.code(),
            String::from_utf8(ended.stderr).unwrap(),
        )
    };
    assert_eq!(run("/dev/null"), (Some(0), String::new()));
    let (code, said) = run("/dev/full");
    assert_eq!(code, Some(1));
    assert!(said.contains("can't write to standard output"), "{said}");
}
