//! What is wrong is refused, and what was loaded before serves on.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::{
    assert_signed, directory, edit, hang_up, hang_up_in_vain, last, metric, socket, stage,
    with_secret,
};
use crate::support::{daemon::Daemon, log::records, setup::write_secret, stage::Stage};

/// Something that is wrong: how it comes about, the key that the fault has to begin with, and what is said.
type Case = (fn(&Daemon), &'static str, &'static str);

const CASES: [Case; 9] = [
    (
        |daemon| edit(daemon, "connections = 7", "conections = 7"),
        "proxy.test.limits.conections",
        "did you mean connections?",
    ),
    (
        |daemon| edit(daemon, "[proxy.test]", "[proxy.test"),
        "config",
        "is not valid TOML",
    ),
    (
        |daemon| fs::remove_file(directory(daemon).join("undersign.toml")).unwrap(),
        "proxy",
        "no proxy is described",
    ),
    (
        |daemon| fs::remove_file(directory(daemon).join("consumer-secret")).unwrap(),
        "proxy.test.consumer_secret_file",
        "cannot be read",
    ),
    (
        |daemon| drop(write_secret(directory(daemon), "consumer-secret", "")),
        "proxy.test.consumer_secret_file",
        "holds nothing",
    ),
    (
        |daemon| {
            let path = directory(daemon).join("consumer-secret");
            fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
        },
        "proxy.test.consumer_secret_file",
        "run chmod 600",
    ),
    (
        |daemon| {
            edit(
                daemon,
                "connections = 7",
                "connections = 7\n[proxy.test.access]\nclient_token_file = 'none'",
            );
        },
        "proxy.test.access.client_token_file",
        "cannot be read",
    ),
    (
        |daemon| {
            fs::write(directory(daemon).join("ca.pem"), "no certificate").unwrap();
            edit(daemon, "trust = 'self-signed'", "ca_file = 'ca.pem'");
        },
        "proxy.test.tls.ca_file",
        "there is no certificate in ",
    ),
    (
        |daemon| listen_too(daemon, &["new.sock", "taken.sock"]),
        "proxy.test.listen",
        "can't listen on unix:",
    ),
];

#[test]
fn whatever_is_wrong_is_named_and_counted_and_changes_nothing() {
    for (break_it, key, problem) in CASES {
        let stage = stage(|setup| setup.table("limits", "connections = 7"));
        let Stage { daemon, upstream } = &stage;
        // A file that is no socket is not removed.
        fs::write(directory(daemon).join("taken.sock"), "").unwrap();
        let mut client = daemon.connect();
        Stage::fetch_on(&mut client);
        let configuration = fs::read_to_string(directory(daemon).join("undersign.toml")).unwrap();

        break_it(daemon);
        let fault = hang_up_in_vain(daemon);
        let named = fault.split([' ', ':']).next().unwrap();
        assert_eq!(named, key, "{fault}");
        assert!(fault.contains(problem), "{fault}");
        assert_eq!(metric(daemon, "undersign_config_last_reload_successful"), 0);
        assert!(metric(daemon, "undersign_reloads_total{outcome=\"refused\"}") >= 1);
        Stage::fetch_on(&mut client);
        stage.fetch();
        assert_signed(upstream, &last(upstream), daemon.credentials());
        assert_eq!(upstream.connections(), 1, "{key}");
        // Not even what could have been done.
        assert!(!directory(daemon).join("new.sock").exists());

        fs::write(directory(daemon).join("undersign.toml"), configuration).unwrap();
        write_secret(directory(daemon), "consumer-secret", "mended");
        hang_up(daemon);
        assert_eq!(metric(daemon, "undersign_config_last_reload_successful"), 1);
        stage.fetch();
        assert_signed(upstream, &last(upstream), &with_secret(daemon, "mended"));
    }
}

#[test]
fn every_fault_is_logged_and_nothing_of_the_rest_takes_effect() {
    let stage = stage(|setup| setup.table("limits", "connections = 7"));
    let daemon = &stage.daemon;
    edit(daemon, "connections = 7", "connections = 0");
    edit(daemon, "trust = 'self-signed'", "trust = 'anybody'");
    listen_too(daemon, &["new.sock"]);
    hang_up_in_vain(daemon);
    assert!(!directory(daemon).join("new.sock").exists());
    stage.fetch();
    let (_, lines) = stage.daemon.stop();
    let keys: Vec<_> = records(&lines)
        .filter(|record| record["cause"] == "SIGHUP")
        .filter_map(|record| Some(record["fault"].as_str()?.split(' ').next()?.to_owned()))
        .collect();
    let expected = ["proxy.test.limits.connections", "proxy.test.tls.trust"];
    assert_eq!(keys, expected);
}

/// Has the configuration name Unix sockets beside the first address.
fn listen_too(daemon: &Daemon, names: &[&str]) {
    let sockets = names.iter().map(|name| socket(directory(daemon), name));
    let sockets: Vec<_> = sockets.map(|socket| format!("{socket:?}")).collect();
    let first = "\"127.0.0.1:0\"";
    edit(daemon, first, &format!("{first}, {}", sockets.join(", ")));
}
