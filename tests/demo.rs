//! The demonstration: what it prints can be pasted, and its platform lets nothing through that is not signed.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what a test needs fails by panicking, outside of its function too"
)]

mod support;

use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use support::{
    client::{Client, Response},
    daemon::Daemon,
    log::Log,
    request::{get, post_form, request},
    setup::Setup,
};

const QUERY: &str = "/aps/2/resources?implementing(http://aps-standard.org/types/core/resource/1.0),like(name,*a*),sort(+name),limit(0,2)";
const ORDERS: &str = "/aps/2/services/order-manager/orders";

/// A running demonstration; killed when dropped.
struct Demo {
    child: Child,
    shown: Log,
    log: Log,
    /// `https://localhost:PORT`.
    platform: String,
    /// `127.0.0.1:PORT`.
    proxy: String,
}

impl Demo {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_undersign"))
            .args(["demo", "--listen", "127.0.0.1:0"])
            // It looks for curl, and does without.
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let shown = Log::collect(child.stdout.take().unwrap());
        let log = Log::collect(child.stderr.take().unwrap());
        let address = |name: &str| {
            let found = shown.wait_for(|lines| {
                let words = |line: &String| line.split_whitespace().map(str::to_owned).collect();
                let lines = lines.iter().map(words);
                lines
                    .filter(|words: &Vec<String>| words.len() > 1 && words[0] == name)
                    .map(|words| words[1].clone())
                    .next()
            });
            found.unwrap_or_else(|| panic!("no {name}: {:#?}", shown.lines()))
        };
        let (platform, proxy) = (address("platform"), address("proxy"));
        Self {
            child,
            log,
            platform,
            proxy: proxy.strip_prefix("http://").unwrap().to_owned(),
            shown,
        }
    }

    fn ask(&self, request: impl AsRef<[u8]>) -> Response {
        let mut client = Client::tcp(self.proxy.parse().unwrap());
        client.send(request);
        client.response()
    }

    /// A way to the platform over TLS that leaves what is sent unsigned.
    fn unsigned(&self) -> Daemon {
        Setup::new(&*self.platform)
            .keys("inbound_authorization = 'keep'\npassthrough_headers = ['X-Unsigned']")
            .start()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

#[test]
fn what_it_prints_to_paste_works_as_it_stands() {
    let demo = Demo::start();
    let pasted = format!("curl -g 'http://{}{QUERY}'", demo.proxy);
    let is_shown = |lines: &[String]| lines.iter().any(|line| line.trim() == pasted).then_some(());
    assert!(demo.shown.wait_for(is_shown).is_some());

    let response = demo.ask(get(QUERY));
    assert_eq!(response.status, 200, "{}", response.body.escape_ascii());
    let names: Vec<Value> = body(&response)
        .as_array()
        .unwrap()
        .iter()
        .map(|resource| resource["name"].clone())
        .collect();
    assert_eq!(names, ["alpha tenant", "Beta tenant"]);

    let order = json!({ "type": "SALES", "products": [{ "planId": "x" }] }).to_string();
    let fields = format!(
        "Content-Type: application/json\r\nContent-Length: {}\r\n",
        order.len()
    );
    let response = demo.ask(format!(
        "POST {ORDERS} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n{order}"
    ));
    assert_eq!(response.status, 201);
    let number = body(&response)["orderNumber"].clone();

    let found = body(&demo.ask(get(&format!("{ORDERS}?like(type,S*)"))));
    assert_eq!(found[0]["orderNumber"], number);
}

#[test]
fn other_targets_forms_and_methods_are_verified_by_the_platform_too() {
    let demo = Demo::start();
    for (request, status) in [
        (get("/aps/2/resources"), 200),
        (get("/aps/2/resources/?name=Galaxy"), 200),
        (get("/aps/2/resources?like(name,Zo%C3%AB*)"), 200),
        (get("/nothing/%2F//..?a+b=%zz&&c"), 404),
        (get("/aps/2/resources?implementing%28x%29"), 400),
        (request("DELETE", "/aps/2/resources"), 405),
        (post_form(ORDERS, "a=b+c&d"), 400),
    ] {
        let response = demo.ask(&request);
        assert_eq!(response.status, status, "{request}");
        assert!(body(&response)["oauth_problem"].is_null());
        assert!(!response.head.has("proxy-status"));
    }
}

#[test]
fn the_platform_refuses_what_is_not_signed_and_says_why() {
    let demo = Demo::start();
    let direct = demo.unsigned();
    let oauth = |rest: &str| {
        format!(
            "Authorization: OAuth oauth_signature_method=\"HMAC-SHA1\", oauth_signature=\"x\"{rest}\r\n"
        )
    };
    let stamped = "oauth_timestamp=\"1\", oauth_nonce=\"n\"";
    for (fields, problem, explanation) in [
        (
            "X-Unsigned: 1\r\n".to_owned(),
            "parameter_absent",
            "not signed",
        ),
        (
            "Authorization: Basic eA==\r\n".to_owned(),
            "parameter_rejected",
            "OAuth",
        ),
        (
            "Authorization: OAuth x\r\n".to_owned(),
            "parameter_rejected",
            "breaks off",
        ),
        (oauth(""), "parameter_rejected", "missing"),
        (
            oauth(&format!(", oauth_consumer_key=\"k\", {stamped}")),
            "consumer_key_unknown",
            "oauth_consumer_key",
        ),
    ] {
        let mut client = direct.connect();
        client.send(format!(
            "GET {QUERY} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"
        ));
        let response = client.response();
        assert_eq!(response.status, 401, "{fields}");
        let challenge = response.head.only("www-authenticate");
        assert_eq!(
            challenge,
            format!("OAuth realm=\"demo\", oauth_problem=\"{problem}\"")
        );
        let body = body(&response);
        assert_eq!(body["oauth_problem"], problem);
        let message = body["message"].as_str().unwrap();
        assert!(message.contains(explanation), "{message}");
    }
    // A signature made with other credentials.
    let other = Setup::new(&*demo.platform).start();
    let mut client = other.connect();
    client.send(get(QUERY));
    assert_eq!(client.response().status, 401);
    let record = other.log().exchange(0);
    assert_eq!(record["oauth.problem"], "consumer_key_unknown");
    assert!(record["hint"].is_string(), "{record:#}");
}

#[test]
fn it_stops_when_it_is_told_to_and_leaves_no_secret_behind() {
    let mut demo = Demo::start();
    assert_eq!(demo.ask(get(QUERY)).status, 200);
    kill_process(Pid::from_child(&demo.child), Signal::INT).unwrap();
    let mut lines = demo.shown.wait_for_end();
    lines.extend(demo.log.wait_for_end());
    assert_eq!(demo.child.wait().unwrap().code(), Some(0));
    let text = lines.join("\n");
    for word in ["oauth_signature=", "oauth_consumer_key=", "Authorization: "] {
        assert!(!text.contains(word), "{word}: {text}");
    }
    assert!(text.contains("signature verified"), "{text}");
}

#[test]
fn it_listens_on_this_machine_alone() {
    for (listen, code) in [("0.0.0.0:0", 78), ("nonsense", 78), ("192.0.2.1:80", 78)] {
        let output = Command::new(env!("CARGO_BIN_EXE_undersign"))
            .args(["demo", "--listen", listen])
            .env_clear()
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{listen}");
        assert!(!output.stderr.is_empty());
    }
}
