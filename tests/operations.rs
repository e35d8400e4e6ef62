//! What may be asked for through a proxy: no spelling of a method or path gets past `access.allow`.

mod support;

use support::{
    bench::{Bench, DENIED, MALFORMED, Then, check_problem},
    request::{FORM, get_with, post, post_form, request},
};

const RULES: &str = "allow = [\n\
    { methods = ['GET', 'HEAD'], path = '/aps/2/**' },\n\
    { methods = ['POST'], path = '/aps/2/services/*/orders' },\n\
    { methods = ['POST'], path = '/upload' },\n\
    { methods = ['GET'], path = '/thing' },\n\
    { path = '/any' },\n\
    { methods = ['GET'], path = '/with/slash/' },\n\
    { methods = ['GET'], path = '/große straße/*' },\n\
    ]";

fn bench() -> Bench {
    Bench::with(|setup| setup.table("access", RULES))
}

/// Checks that each of these is refused, and that none reaches the upstream.
#[track_caller]
fn check_refused(bench: &Bench, inputs: impl IntoIterator<Item = String>) {
    for input in inputs {
        let mut client = bench.daemon.connect();
        client.send(&input);
        let response = client.response();
        assert_eq!(response.status, 403, "{input:?}");
        check_problem(&response, 403, DENIED, false);
        assert_eq!(
            bench.record()["http.response.status_code"],
            403,
            "{input:?}"
        );
    }
}

#[test]
fn allow_rules_let_their_methods_and_paths_through() {
    let bench = bench();
    for (method, path) in [
        ("GET", "/aps/2/x"),
        ("GET", "/aps/2/resources?like(name,*a*)"),
        (
            "GET",
            "/aps/2/resources?implementing(http://aps-standard.org/types/core/resource/1.0),sort(+name),limit(0,1)",
        ),
        ("HEAD", "/aps/2/a/b/c"),
        (
            "GET",
            "/aps/2/resources/2df8d4ce-86bb-4ec3-9dc2-8cbe69bf4b1a/",
        ),
        ("GET", "/aps/2/a%20b"),
        ("GET", "/aps/2/caf%C3%A9"),
        ("GET", "/aps/2/caf%c3%a9"),
        ("GET", "/aps/2/%7Euser/%28x%29"),
        ("GET", "/gro%C3%9Fe%20stra%C3%9Fe/7"),
        ("GET", "/aps/2/x?../../y"),
        ("GET", "/aps/2/x?a=%2F%2e%2e;//%00"),
        ("GET", "/aps/2/x?method=DELETE"),
        ("POST", "/aps/2/services/order-manager/orders"),
        ("POST", "/aps/2/services/x/orders?a=b"),
        ("DELETE", "/any"),
        ("x-custom", "/any"),
        ("GET", "/with/slash/"),
        // What ends in `/**` has the slash before it, too.
        ("GET", "/aps/2/"),
    ] {
        bench.forwarded(request(method, path));
    }
    bench.forwarded(post_form("/upload", "method=DELETE&a=b"));
    bench.forwarded(get_with(
        "X-Forwarded-For: 10.0.0.1\r\nX-Requested-With: x\r\n",
    ));
    // An absolute form is judged by its path as well.
    bench.forwarded(request("GET", "http://localhost/any"));
    bench.finish();
}

#[test]
fn other_methods_and_paths_are_refused() {
    let bench = bench();
    let refused = [
        ("GET", "/"),
        ("GET", "/aps"),
        ("GET", "/aps/2"),
        ("GET", "/aps/22/x"),
        ("GET", "/APS/2/x"),
        ("GET", "/x/aps/2/y"),
        ("get", "/aps/2/x"),
        ("Get", "/aps/2/x"),
        ("DELETE", "/aps/2/x"),
        ("POST", "/aps/2/x"),
        ("OPTIONS", "/aps/2/x"),
        ("POST", "/aps/2/services/a/b/orders"),
        ("POST", "/aps/2/services/orders"),
        ("GET", "/anything"),
        ("GET", "/other?/any"),
        ("GET", "http://localhost/other"),
        ("GET", "http://localhost/other?http://localhost/any"),
        ("GET", "http://localhost"),
        // A slash at the end, which some servers take no notice of.
        ("GET", "/any/"),
        ("POST", "/aps/2/services/x/orders/"),
        ("GET", "/with/slash"),
        // Escapes in what a rule spells out.
        ("GET", "/%61ps/2/x"),
        ("GET", "/aps/%32/x"),
        ("GET", "/an%79"),
    ];
    check_refused(&bench, refused.map(|(method, path)| request(method, path)));
    bench.finish();
}

#[test]
fn no_spelling_of_a_path_leads_out_of_what_is_allowed() {
    let bench = bench();
    // Where each would lead, read by some server or other: to what no rule allows.
    let spellings = r"
        //any /any// /.//any /./any /any/. /aps/2/./x /aps/2//x /aps/2/x//y
        /aps/2/.. /aps/2/../3 /aps/2/../../x /aps/2/x/../../../y /aps/2/x/.. /aps/2/...
        /aps/2/%2e%2e/3 /aps/2/.%2e/3 /aps/2/%2E./3 /aps/2/%2e /aps/2/%2e%2e
        /aps/2/..%20/3 /aps/2/%20/3 /aps/2/..%09/3 /aps/2/%C2%A0../3
        /aps/2/..;/3 /aps/2/..;x=y/3 /aps/2/;/../3 /aps/2/x;y /aps/2;x/y /aps/2/.;/x /aps/2/..%3B/3 /aps/2/%3b/x
        /aps/2/a%2Fb /aps/2/..%2f3 /aps/2/%2e%2e%2f3 /aps/2/%2F..%2F3 /aps/2%2f..%2f3
        /aps/2/a\..\b /aps/2/..\3 /aps/2/a%5Cb /aps/2/..%5c3 /aps/2\x /aps/2/\\evil.example\x
        /aps/2/%252e%252e/3 /aps/2/..%252f3 /aps/2/%25%32%66 /aps/2/%25
        /aps/2/%c0%ae%c0%ae/3 /aps/2/..%c0%af3 /aps/2/%e0%80%ae/3 /aps/2/%c1%9c3 /aps/2/%FF
        /aps/2/%u002e%u002e/3 /aps/2/%u2215 /aps/2/%zz /aps/2/% /aps/2/%2 /aps/2/%+2e
        /aps/2/%EF%BC%8E%EF%BC%8E/3 /aps/2/..%EF%BC%8F3 /aps/2/..%E2%88%953 /aps/2/%E2%80%A5/3 /aps/2/..／3
        /aps/2/..%EF%BC%9B/3 /aps/2/%EF%BC%852e
        /aps/2/x%00 /aps/2/%00/../3 /aps/2/x%3F/../../3 /aps/2/x%23/../3 /aps/2/%0d%0a /aps/2/%0A /aps/2/%7f /aps/2/%C2%85
        http://localhost//any http://localhost/aps/2/../3 http://localhost/aps/2/..;/3
    ";
    let refused = spellings.split_whitespace();
    check_refused(&bench, refused.map(|path| request("GET", path)));
    bench.finish();
}

#[test]
fn nothing_replaces_the_method_or_the_path_that_was_allowed() {
    let bench = bench();
    let fields = [
        "X-HTTP-Method-Override: DELETE",
        "x-http-method-override: GET",
        "X-HTTP-Method-Override:",
        "X-HTTP-Method: DELETE",
        "X-Method-Override: DELETE",
        "X_HTTP_Method_Override: DELETE",
        "X.HTTP.Method.Override: DELETE",
        "X-Original-Method: DELETE",
        "X-Original-URL: /admin",
        "X-Rewrite-URL: /admin",
        "X_Original_URL: /admin",
        "x-rewrite_url: /admin",
        "X-Original-Uri: /admin",
        "X-Forwarded-Uri: /admin",
        "X-Forwarded-Prefix: /admin",
        "X-Envoy-Original-Path: /admin",
        // Though it would be taken out on the way.
        "Connection: x-original-url\r\nX-Original-URL: /admin",
    ];
    check_refused(&bench, fields.map(|line| get_with(&format!("{line}\r\n"))));
    let queries = [
        "_method=DELETE",
        "a=b&_method=DELETE",
        "a=b;_method=DELETE",
        "%5fmethod=DELETE",
        "_METHOD=delete",
        ".method=DELETE",
        "+_method=DELETE",
        "_method%5B%5D=DELETE",
        "_HttpMethod=DELETE",
        "X-HTTP-Method-Override=DELETE",
        "%u0058-HTTP-Method-Override=DELETE",
    ];
    check_refused(
        &bench,
        queries.map(|query| request("POST", &format!("/upload?{query}"))),
    );
    let forms = queries.map(|form| post_form("/upload", form));
    check_refused(&bench, forms);
    // Without a media type, or with one that is nearly a form's, some servers take the content for a form.
    let fields = [
        "",
        "Content-Type:\r\n",
        "Content-Type: \t\r\n",
        "Content-Type: text/plain\r\nConnection: keep-alive, CONTENT-TYPE\r\n",
        "Content-Type: application/x-www-form-urlencodedX\r\n",
        "Content-Type: ;application/x-www-form-urlencoded\r\n",
        "Content-Type: application/x-www-form-urlencoded; charset=utf-16\r\n",
    ];
    check_refused(&bench, fields.map(|field| post(field, "_method=DELETE")));
    check_refused(&bench, [post(FORM, "a=b&c=d&_method=DELETE")]);
    let long = "a=b&".repeat(100_000);
    check_refused(&bench, [post(FORM, &format!("{long}_method=DELETE"))]);
    assert_eq!(bench.upstream.requests().len(), 0);
    bench.finish();
}

#[test]
fn content_without_a_media_type_passes_unless_it_asks_for_something_else() {
    let bench = bench();
    for content in ["hello", "", "{\"a\":1}", "\u{e9}%u0000&x", "a=_method"] {
        let sent = bench.forwarded(post("", content));
        assert_eq!(sent.request.body, content.as_bytes());
    }
    bench.finish();
    // As much of it as is held in memory, and no more.
    let bench = Bench::with(|setup| {
        setup
            .table("access", RULES)
            .table("limits", "form_bytes = 4")
    });
    let refused = bench.refused(post("", "hello"), 413, MALFORMED, Then::AsItSays);
    let detail = refused.problem["detail"].as_str().unwrap();
    assert!(detail.contains("give it a Content-Type"), "{detail}");
    let sent = bench.forwarded(post("Content-Type: a/b\r\n", "hello"));
    assert_eq!(sent.request.body, b"hello");
    bench.finish();
}

#[test]
fn forms_of_requests_that_pass_unsigned_are_looked_into_as_well() {
    let bench = Bench::with(|setup| {
        let setup = setup.table("access", RULES);
        setup.keys("passthrough_headers = ['APS-Token']")
    });
    let field = format!("{FORM}APS-Token: x\r\n");
    check_refused(&bench, [post(&field, "a=b&_method=DELETE")]);
    let sent = bench.forwarded(post(&field, "a=b&oauth_nonce=1"));
    assert_eq!(sent.request.body, b"a=b&oauth_nonce=1");
    assert_eq!(sent.record["oauth.signed"], false);
    bench.finish();
}

#[test]
fn without_rules_all_of_this_is_left_to_the_platform() {
    let bench = Bench::new();
    for path in ["/aps/2/../3", "//a", "/a;b", "/a%2Fb", "/a?_method=DELETE"] {
        bench.forwarded(request("GET", path));
    }
    bench.forwarded(get_with("X-HTTP-Method-Override: DELETE\r\n"));
    bench.forwarded(post_form("/upload", "_method=DELETE"));
    bench.finish();
}

#[test]
fn an_empty_list_of_rules_lets_nothing_through() {
    let bench = Bench::with(|setup| setup.table("access", "allow = []"));
    for path in ["/", "/a", "/**"] {
        let mut client = bench.daemon.connect();
        client.send(request("GET", path));
        check_problem(&client.response(), 403, DENIED, false);
        bench.record();
    }
    bench.finish();
}
