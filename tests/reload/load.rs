//! Reloading under load: nobody is refused, no exchange fails, and none is signed with a mixture.

use std::{
    fs,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use undersign::oauth::Credentials;

use super::{change, directory, files::Volume, hang_up, is_signed, stage};
use crate::support::{
    setup::write_secret,
    stage::{Stage, eventually},
};

const CLIENTS: usize = 8;
const RELOADS: usize = 50;

/// So many records may still be on their way to the reader of the log, of which its queue holds some thousands.
const UNREAD: usize = 500;

/// Keeps clients busy, half of them on one connection each and half with a new one for each request, until `work` is
/// done; returns the number of exchanges.
fn under_load(stage: &Stage, work: impl FnOnce(&dyn Fn())) -> usize {
    let (done, count) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let _done = SetAtEnd(&done);
        for number in 0..CLIENTS {
            let (done, count) = (&done, &count);
            scope.spawn(move || {
                let mut kept = stage.daemon.connect();
                while !done.load(Ordering::Relaxed) {
                    if number % 2 == 0 {
                        Stage::fetch_on(&mut kept);
                    } else {
                        stage.fetch();
                    }
                    let so_far = count.fetch_add(1, Ordering::Relaxed);
                    // The log waits for nobody, and who reads it here may be held up.
                    stage
                        .daemon
                        .log()
                        .wait_for_exchanges(so_far.saturating_sub(UNREAD));
                }
            });
        }
        // Each client has had its turn before the next step.
        let some_exchanges = || {
            let enough = count.load(Ordering::Relaxed) + 2 * CLIENTS;
            eventually("exchanges", || count.load(Ordering::Relaxed) >= enough);
        };
        some_exchanges();
        work(&some_exchanges);
    });
    count.into_inner()
}

/// Set when it is over, even by a panic.
struct SetAtEnd<'a>(&'a AtomicBool);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn fifty_reloads_go_unnoticed() {
    let stage = stage(|setup| setup);
    let daemon = &stage.daemon;
    let first = daemon.credentials().clone();
    let second = Credentials {
        consumer_key: "another-key".to_owned(),
        consumer_secret: "another-secret".into(),
        ..first.clone()
    };
    let original = directory(daemon).join("consumer-secret");
    write_secret(directory(daemon), "another-secret", "another-secret");
    let configuration = fs::read_to_string(directory(daemon).join("undersign.toml")).unwrap();
    let other = configuration
        .replace(&first.consumer_key, &second.consumer_key)
        .replace(original.to_str().unwrap(), "another-secret");
    assert_ne!(configuration, other);

    let count = under_load(&stage, |some_exchanges| {
        for text in [&other, &configuration].into_iter().cycle().take(RELOADS) {
            fs::write(directory(daemon).join("undersign.toml"), text).unwrap();
            hang_up(daemon);
            some_exchanges();
        }
    });
    check(&stage, count, &[first, second]);
}

#[test]
fn secrets_that_are_swapped_at_once_are_never_mixed() {
    let volume = Volume::new();
    let stage = stage(|setup| volume.configure(setup));
    let versions = ["v1", "v2", "v3", "v4"];
    let count = under_load(&stage, |some_exchanges| {
        for version in &versions[1..] {
            change(&stage.daemon, || volume.swap(version));
            some_exchanges();
        }
    });
    let credentials = versions.map(|version| Volume::credentials(&stage.daemon, version));
    check(&stage, count, &credentials);
}

/// Checks that all went well, and that every request was signed with one of these, and each of these was used.
#[track_caller]
fn check(stage: &Stage, count: usize, credentials: &[Credentials]) {
    let requests = stage.upstream.requests();
    assert_eq!(requests.len(), count);
    let mut used = vec![0; credentials.len()];
    for request in &requests {
        let signed = |credentials: &&Credentials| is_signed(&stage.upstream, request, credentials);
        let by: Vec<_> = credentials
            .iter()
            .enumerate()
            .filter(|(_, credentials)| signed(credentials))
            .map(|(index, _)| index)
            .collect();
        let [by] = by[..] else {
            panic!("signed with {by:?}: {request:?}")
        };
        used[by] += 1;
    }
    assert!(used.iter().all(|count| *count > 0), "{used:?}");
    let records = stage.daemon.log().exchanges(count);
    for record in &records {
        assert_eq!(record["http.response.status_code"], 200, "{record:#}");
        assert_eq!(record["error.type"], serde_json::Value::Null);
    }
    assert_eq!(records.len(), count);
}
