//! What a hangup brings into effect, and when.

use rustix::process::Signal;

use super::{
    HANGUP, after, assert_signed, directory, edit, hang_up, last, metric, stage, with_secret,
};
use crate::support::{
    certificates::Certificate,
    client::Client,
    log::records,
    setup::write_secret,
    stage::{GET, OK, Stage, fine, problem},
    upstream::Upstream,
};

#[test]
fn a_new_secret_signs_the_next_request_of_a_connection_and_the_first_of_another() {
    let stage = stage(|setup| setup);
    let Stage { daemon, upstream } = &stage;
    let mut client = daemon.connect();
    Stage::fetch_on(&mut client);
    assert_signed(upstream, &last(upstream), daemon.credentials());
    let before = metric(
        daemon,
        "undersign_config_last_reload_success_timestamp_seconds",
    );
    assert!(before > 0);

    write_secret(directory(daemon), "consumer-secret", "another");
    hang_up(daemon);
    let new = with_secret(daemon, "another");
    Stage::fetch_on(&mut client);
    assert_signed(upstream, &last(upstream), &new);
    stage.fetch();
    assert_signed(upstream, &last(upstream), &new);
    // Connections to the upstream do not outlive what they were made with.
    assert_eq!(upstream.connections(), 2);
    assert_eq!(metric(daemon, "undersign_reloads_total{outcome=\"ok\"}"), 1);
    assert_eq!(metric(daemon, "undersign_config_last_reload_successful"), 1);
    let at = metric(
        daemon,
        "undersign_config_last_reload_success_timestamp_seconds",
    );
    assert!(at >= before);
    stage.finish(&[fine(200); 3]);
}

#[test]
fn an_exchange_ends_as_it_began() {
    let stage = Stage::with(
        |setup| setup.table("limits", "form_bytes = '1KiB'"),
        |peer| {
            loop {
                peer.request()?;
                peer.pause()?;
                peer.send(OK)?;
            }
        },
    );
    let Stage { daemon, upstream } = &stage;
    let mut client = stage.ask(GET);
    upstream.wait("a request", |seen| seen.requests.len() == 1);
    write_secret(directory(daemon), "consumer-secret", "another");
    hang_up(daemon);
    upstream.go_on();
    let response = client.response();
    assert_eq!(response.body, b"ok");
    assert!(!response.head.connection_says("close"), "{response:?}");
    assert_signed(upstream, &last(upstream), daemon.credentials());
    // Its connection to the upstream has gone with it.
    upstream.wait_ended(1);

    upstream.go_on();
    Stage::fetch_on(&mut client);
    assert_signed(upstream, &last(upstream), &with_secret(daemon, "another"));
    assert_eq!(upstream.connections(), 2);
    stage.finish(&[fine(200); 2]);
}

#[test]
fn an_unused_connection_to_the_upstream_is_closed() {
    let stage = stage(|setup| setup);
    stage.fetch();
    hang_up(&stage.daemon);
    stage.upstream.wait_ended(1);
    stage.finish(&[fine(200)]);
}

#[test]
fn access_and_limits_are_changed_for_connections_that_are_open() {
    let stage = stage(|setup| {
        setup
            .table("access", "allowed_hosts = []")
            .table("limits", "connections = 1")
    });
    let Stage { daemon, .. } = &stage;
    let mut client = daemon.connect();
    let ask = |client: &mut Client| {
        client.send("GET /thing HTTP/1.1\r\nHost: proxy.test\r\n\r\n");
    };
    ask(&mut client);
    problem(&mut client, 421, "http_request_denied");
    problem(&mut stage.ask(GET), 503, "connection_limit_reached");

    edit(
        daemon,
        "allowed_hosts = []",
        "allowed_hosts = ['proxy.test']",
    );
    edit(daemon, "connections = 1", "connections = 2");
    hang_up(daemon);
    ask(&mut client);
    assert_eq!(client.response().status, 200);
    let mut second = stage.ask(GET);
    assert_eq!(second.response().status, 200);
    problem(&mut stage.ask(GET), 503, "connection_limit_reached");

    edit(daemon, "connections = 2", "connections = 1");
    hang_up(daemon);
    // Those who are in stay in.
    for client in [&mut client, &mut second] {
        Stage::fetch_on(client);
    }
}

#[test]
fn the_upstream_is_changed() {
    let first = stage(|setup| setup);
    let second = Upstream::tls(&Certificate::self_signed(), |peer| peer.answer_all(OK));
    let mut client = first.daemon.connect();
    Stage::fetch_on(&mut client);
    edit(&first.daemon, &first.upstream.url(), &second.url());
    hang_up(&first.daemon);
    Stage::fetch_on(&mut client);
    assert_eq!(first.upstream.requests().len(), 1);
    assert_signed(&second, &last(&second), first.daemon.credentials());
    first.finish(&[fine(200); 2]);
}

#[test]
fn what_takes_effect_at_the_next_start_is_named() {
    let stage = stage(|setup| setup.log("format = 'json'"));
    let Stage { daemon, .. } = &stage;
    edit(daemon, "format = 'json'", "format = 'text'\nfile = 'log'");
    edit(daemon, "admin.sock", "other.sock");
    hang_up(daemon);
    stage.fetch();
    assert!(!directory(daemon).join("log").exists());
    assert!(!directory(daemon).join("other.sock").exists());
    let (code, lines) = stage.daemon.stop();
    assert_eq!(code, Some(0));
    let named: Vec<_> = records(&lines)
        .filter(|record| record["message"] == "takes effect at the next start only")
        .map(|record| record["key"].clone())
        .collect();
    assert_eq!(named, ["log.format", "log.file", "admin.listen"]);
}

#[test]
fn many_hangups_do_not_keep_the_daemon_from_stopping() {
    let stage = stage(|setup| setup);
    after(&stage.daemon, HANGUP, || {
        for _ in 0..20 {
            stage.daemon.signal(Signal::HUP);
        }
    });
    stage.daemon.signal(Signal::HUP);
    let (code, lines) = stage.daemon.stop();
    assert_eq!(code, Some(0), "{lines:#?}");
}
