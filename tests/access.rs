//! Who may use a proxy: browsers' pages, tokens and users.

mod support;

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use support::{
    bench::{
        Bench, DENIED, GOOD,
        Then::{Close, Keep},
        check_problem,
    },
    request::get_with,
    setup::{Setup, random_text},
};

#[test]
fn a_web_page_may_not_use_the_proxy_unless_its_origin_is_allowed() {
    let bench = Bench::with(|setup| {
        setup.table(
            "access",
            "allowed_origins = ['https://app.example', 'http://localhost:3000']",
        )
    });
    for fields in [
        "Origin: https://evil.example\r\n",
        "Origin: null\r\n",
        "Origin:\r\n",
        "Origin: https://app.example.evil.example\r\n",
        "Origin: https://app.example:8443\r\n",
        "Origin: http://app.example\r\n",
        "Origin: https://app.example/\r\n",
        "Origin: http://localhost\r\n",
        "Origin: http://localhost:3001\r\n",
        "Origin: http://127.0.0.1:3000\r\n",
        "origin: https://evil.example\r\n",
        "Origin: https://app.example https://evil.example\r\n",
        "Origin: https://app.example\r\nOrigin: https://evil.example\r\n",
        "Origin: https://evil.example\r\nOrigin: https://app.example\r\n",
        "Origin: https://evil.example\r\nConnection: origin\r\n",
        "Origin: https://evil.example\r\nSec-Fetch-Site: none\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Sec-Fetch-Site: same-origin\r\n",
        "sec-fetch-site: Cross-Site\r\n",
        "Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nReferer: https://app.example/\r\n",
    ] {
        bench.refused(get_with(fields), 403, DENIED, Keep);
    }
    for fields in [
        "",
        "Origin: https://app.example\r\n",
        "Origin: HTTPS://App.Example\r\n",
        "Origin: http://localhost:3000\r\n",
        "Origin: https://app.example\r\nSec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: none\r\n",
        "Sec-Fetch-Mode: navigate\r\n",
        "Referer: https://evil.example/\r\n",
    ] {
        bench.forwarded(get_with(fields));
    }
    bench.finish();
}

#[test]
fn no_web_page_is_allowed_by_default_not_even_one_of_the_proxys_own_host() {
    let bench = Bench::new();
    let own = format!("Origin: http://{}\r\n", bench.daemon.address());
    for fields in [
        &own,
        "Origin: http://localhost\r\n",
        "Origin: null\r\n",
        "Sec-Fetch-Site: same-origin\r\n",
    ] {
        for method in ["GET", "POST", "OPTIONS", "DELETE"] {
            let request = format!("{method} / HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n");
            let refused = bench.refused(request, 403, DENIED, Keep);
            assert!(!refused.response.head.has("access-control-allow-origin"));
        }
    }
    bench.finish();
}

#[test]
fn a_client_token_is_wanted_with_each_request_and_never_passed_on() {
    let token = random_text(40);
    let other = random_text(40);
    let bench = Bench::with(|setup| {
        let path = setup.secret_file("client-token", &format!("{token}\n"));
        setup.table(
            "access",
            &format!("client_token_file = '{}'", path.display()),
        )
    });
    let scheme_only = token.split_at(20).0;
    for fields in [
        String::new(),
        format!("Authorization: Bearer {token}\r\n"),
        format!("Proxy-Authorization: Bearer {other}\r\n"),
        format!("Proxy-Authorization: Bearer {scheme_only}\r\n"),
        format!("Proxy-Authorization: Bearer {token}x\r\n"),
        format!(
            "Proxy-Authorization: Bearer {}\r\n",
            token.to_ascii_lowercase()
        ),
        format!("Proxy-Authorization: Bearer {token}, Bearer {token}\r\n"),
        format!("Proxy-Authorization: Basic {token}\r\n"),
        format!("Proxy-Authorization: {token}\r\n"),
        format!("Proxy-Authorization: Bearer{token}\r\n"),
        "Proxy-Authorization: Bearer\r\n".to_owned(),
        "Proxy-Authorization: Bearer \r\n".to_owned(),
        "Proxy-Authorization:\r\n".to_owned(),
        format!("Proxy-Authorization: Bearer {other}\r\nProxy-Authorization: Bearer {token}\r\n"),
        format!("Proxy-Authorization: Bearer {token}\r\nProxy-Authorization: Bearer {other}\r\n"),
    ] {
        let mut client = bench.daemon.connect();
        client.send(get_with(&fields));
        let response = client.response();
        let problem = check_problem(&response, 401, DENIED, false);
        assert!(response.head.only("www-authenticate").starts_with("Bearer"));
        let record = bench.record();
        assert_eq!(record["http.response.status_code"], 401);
        let shown = format!("{problem} {record}");
        assert!(
            !shown.contains(&token) && !shown.contains(&other),
            "{shown}"
        );
        assert_eq!(bench.upstream.begun(), 0);
    }
    for fields in [
        format!("Proxy-Authorization: Bearer {token}\r\n"),
        format!("proxy-authorization:bearer {token}\r\n"),
        format!("Proxy-Authorization: BEARER   {token}  \r\n"),
        format!("Connection: proxy-authorization\r\nProxy-Authorization: Bearer {token}\r\n"),
    ] {
        let exchange = bench.forwarded(get_with(&fields));
        let raw = String::from_utf8(exchange.request.head.raw).unwrap();
        assert!(!raw.contains(&token), "{raw}");
    }
    let (_, lines) = bench.daemon.stop();
    assert!(!lines.join("\n").contains(&token));
}

#[test]
fn a_client_token_is_not_found_out_piece_by_piece() {
    let token = random_text(32);
    let bench = Bench::with(|setup| {
        let path = setup.secret_file("client-token", &token);
        let key = format!("client_token_file = '{}'", path.display());
        setup.table("access", &key)
    });
    let ask = |token: &str| get_with(&format!("Proxy-Authorization: Bearer {token}\r\n"));
    let mut answers = Vec::new();
    let mut client = bench.daemon.connect();
    for length in 0..token.len() {
        let (right, rest) = token.split_at(length);
        let other = if rest.starts_with('a') { 'b' } else { 'a' };
        let changed = format!("{right}{other}{}", &rest[1..]);
        for guess in [right, rest, &changed] {
            if *guess == token {
                continue;
            }
            client.send(ask(guess));
            let response = client.response();
            let problem = check_problem(&response, 401, DENIED, false);
            answers.push(problem["detail"].clone());
            bench.record();
        }
    }
    // All are told the same.
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    client.send(ask(&token));
    bench.answered(&mut client, false);
    bench.finish();
}

#[test]
fn a_unix_socket_is_the_owners_alone_and_is_removed_at_the_end() {
    let bench = Bench::with(Setup::listen_on_unix_socket);
    let path = bench
        .daemon
        .address()
        .strip_prefix("unix:")
        .unwrap()
        .to_owned();
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let uid = rustix::process::getuid().as_raw();
    let exchange = bench.forwarded(GOOD);
    let client = exchange.record["client.address"].as_str().unwrap();
    assert_eq!(client, format!("unix:uid={uid}"));
    bench.forwarded("GET / HTTP/1.0\r\n\r\n");
    bench.refused("GET / HTTP/1.1\r\n\r\n", 400, "http_request_error", Close);
    bench.refused(
        "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        421,
        DENIED,
        Keep,
    );
    let directory = bench.daemon.process().directory().to_owned();
    assert!(Path::new(&path).starts_with(&directory));
    bench.finish();
    assert!(!Path::new(&path).exists());
}

#[test]
fn a_unix_socket_serves_the_listed_users_alone() {
    let uid = rustix::process::getuid().as_raw();
    let with_uids = |uids: String| {
        Bench::with(|setup| {
            let access = format!("allowed_uids = [{uids}]");
            setup.listen_on_unix_socket().table("access", &access)
        })
    };
    let bench = with_uids(format!("{uid}, {}", uid + 1));
    bench.forwarded(GOOD);
    bench.finish();

    let bench = with_uids((uid + 1).to_string());
    for _ in 0..2 {
        let mut client = bench.daemon.connect();
        client.send(GOOD);
        check_problem(&client.response(), 403, DENIED, false);
        assert_eq!(bench.record()["client.address"], format!("unix:uid={uid}"));
    }
    bench.finish();
}

#[test]
fn a_list_of_users_lets_nobody_in_over_tcp() {
    let uid = rustix::process::getuid().as_raw();
    let bench = Bench::with(|setup| {
        setup
            .listen_on_unix_socket()
            .also_listen_at("127.0.0.1:0")
            .table("access", &format!("allowed_uids = [{uid}]"))
    });
    bench.forwarded(GOOD);
    for _ in 0..2 {
        let mut client = bench.daemon.connect_at(1);
        client.send(GOOD);
        check_problem(&client.response(), 403, DENIED, false);
        assert_eq!(bench.record()["client.address"], "127.0.0.1");
    }
    bench.forwarded(GOOD);
    bench.finish();
}

#[test]
fn a_unix_socket_lets_others_connect_only_if_others_are_listed() {
    let uid = rustix::process::geteuid().as_raw();
    for (uids, expected) in [
        (String::new(), 0o600),
        (uid.to_string(), 0o600),
        (format!("{uid}, {uid}"), 0o600),
        (format!("{uid}, {}", uid + 1), 0o666),
        ((uid + 1).to_string(), 0o666),
    ] {
        let bench = Bench::with(|setup| {
            let access = format!("allowed_uids = [{uids}]");
            setup.listen_on_unix_socket().table("access", &access)
        });
        let path = bench.daemon.address().strip_prefix("unix:").unwrap();
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, expected, "{uids:?}");
        bench.finish();
    }
}
