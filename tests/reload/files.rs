//! Files of secrets that change while nobody sends a hangup.

use std::{fs, os::unix::fs::symlink};

use tempfile::TempDir;
use undersign::oauth::Credentials;

use super::{
    CHANGE, about_reloads, assert_signed, change, change_in_vain, directory, edit, last, metric,
    replace, stage, with_secret,
};
use crate::support::{
    daemon::Daemon,
    setup::{PROXY, Setup, write_secret},
    stage::{Stage, eventually},
};

/// A volume as Kubernetes mounts it, with the consumer secret and the token secret in it.
pub(super) struct Volume(TempDir);

impl Volume {
    /// The secrets' first version.
    pub(super) fn new() -> Self {
        let volume = Self(tempfile::tempdir().unwrap());
        for name in ["consumer", "token"] {
            symlink(format!("..data/{name}"), volume.0.path().join(name)).unwrap();
        }
        volume.swap("v1");
        volume
    }

    /// Puts another version of both into place: each file is a link into `..data`, which is a link to a directory.
    pub(super) fn swap(&self, version: &str) {
        let path = |name: &str| self.0.path().join(name);
        let directory = format!("..{version}");
        fs::create_dir_all(path(&directory)).unwrap();
        for name in ["consumer", "token"] {
            write_secret(&path(&directory), name, &format!("{name}-{version}"));
        }
        symlink(directory, path("..data_tmp")).unwrap();
        fs::rename(path("..data_tmp"), path("..data")).unwrap();
    }

    /// Has a daemon take its secrets from there.
    pub(super) fn configure(&self, setup: Setup) -> Setup {
        let prefix = format!("UNDERSIGN_PROXY__{}", PROXY.to_uppercase());
        let file = |name: &str| self.0.path().join(name).to_str().unwrap().to_owned();
        setup
            .variable(
                &format!("{prefix}__CONSUMER_SECRET_FILE"),
                &file("consumer"),
            )
            .variable(&format!("{prefix}__TOKEN_SECRET_FILE"), &file("token"))
            .variable("UNDERSIGN_TOKEN", "token")
    }

    /// What the daemon signs with once it has this version.
    pub(super) fn credentials(daemon: &Daemon, version: &str) -> Credentials {
        Credentials {
            token: Some("token".to_owned()),
            token_secret: format!("token-{version}").into(),
            ..with_secret(daemon, &format!("consumer-{version}"))
        }
    }
}

#[test]
fn secrets_that_kubernetes_swaps_are_reloaded_together() {
    let volume = Volume::new();
    let stage = stage(|setup| volume.configure(setup));
    let Stage { daemon, upstream } = &stage;
    let mut client = daemon.connect();
    for version in ["v1", "v2", "v3"] {
        if version != "v1" {
            change(daemon, || volume.swap(version));
        }
        Stage::fetch_on(&mut client);
        assert_signed(
            upstream,
            &last(upstream),
            &Volume::credentials(daemon, version),
        );
    }
}

#[test]
fn a_file_that_is_replaced_or_written_to_is_reloaded() {
    let stage = stage(|setup| setup);
    let Stage { daemon, upstream } = &stage;
    let mut client = daemon.connect();
    change(daemon, || {
        replace(directory(daemon), "consumer-secret", "renamed");
    });
    Stage::fetch_on(&mut client);
    assert_signed(upstream, &last(upstream), &with_secret(daemon, "renamed"));
    change(daemon, || {
        write_secret(directory(daemon), "consumer-secret", "written");
    });
    Stage::fetch_on(&mut client);
    assert_signed(upstream, &last(upstream), &with_secret(daemon, "written"));
}

#[test]
fn a_file_that_is_missing_is_told_of_once_until_it_is_back() {
    let stage = stage(|setup| setup);
    let Stage { daemon, upstream } = &stage;
    let path = directory(daemon).join("consumer-secret");
    let fault = change_in_vain(daemon, || fs::remove_file(&path).unwrap());
    assert!(
        fault.starts_with("proxy.test.consumer_secret_file "),
        "{fault}"
    );
    assert_eq!(metric(daemon, "undersign_config_last_reload_successful"), 0);
    stage.fetch();
    assert_signed(upstream, &last(upstream), daemon.credentials());

    // Half of it is written, and that is another fault.
    let other_fault = change_in_vain(daemon, || fs::write(&path, "").unwrap());
    assert_ne!(other_fault, fault);
    stage.fetch();
    assert_signed(upstream, &last(upstream), daemon.credentials());

    // A fault that has been told of is counted only.
    let refused = || metric(daemon, "undersign_reloads_total{outcome=\"refused\"}");
    let before = refused();
    fs::remove_file(&path).unwrap();
    fs::write(&path, "").unwrap();
    eventually("it is tried again", || refused() > before);

    change(daemon, || {
        write_secret(directory(daemon), "consumer-secret", "back");
    });
    stage.fetch();
    assert_signed(upstream, &last(upstream), &with_secret(daemon, "back"));
    assert_eq!(metric(daemon, "undersign_config_last_reload_successful"), 1);
    let told = about_reloads(&daemon.log().lines(), CHANGE);
    assert_eq!(told.len(), 3, "{told:#?}");
}

#[test]
fn a_change_of_a_file_brings_no_other_change_with_it() {
    let stage = stage(|setup| {
        setup
            .keys("token = 'token'\ntoken_secret_command = ['sh', '-c', 'echo run >> runs; echo secret']")
            .table("limits", "connections = 7")
    });
    let Stage { daemon, upstream } = &stage;
    let runs = || {
        let text = fs::read_to_string(directory(daemon).join("runs")).unwrap();
        text.lines().count()
    };
    assert_eq!(runs(), 1);
    // Half an edit, which is nobody's business before a hangup.
    edit(daemon, "connections = 7", "conections = ");
    change(daemon, || {
        replace(directory(daemon), "consumer-secret", "another");
    });
    stage.fetch();
    let mut credentials = with_secret(daemon, "another");
    credentials.token = Some("token".to_owned());
    credentials.token_secret = "secret".into();
    assert_signed(upstream, &last(upstream), &credentials);
    // No command is run just to look.
    assert_eq!(runs(), 2);
}
