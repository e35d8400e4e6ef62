//! Signatures as the upstream sees them: each request that arrives is verified against the bytes that arrived.

mod support;

use std::{collections::HashSet, time::SystemTime};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use support::{
    bench::{Bench, GOOD},
    certificates::rsa_key,
    request::{get, post_form},
    setup::Setup,
};
use undersign::oauth::{Authorization, Method, QueryPlus, Realm, RsaHash, RsaKey, SigningOptions};

/// Shapes of targets that clients are known to sign wrongly, and those that platforms use.
const TARGETS: [&str; 44] = [
    "/",
    "/?",
    "/a/",
    "/a/?b=c",
    "/aps/2/resources?implementing(http://aps-standard.org/types/core/resource/1.0),like(name,*abc*),sort(+name),limit(0,10)",
    "/aps/2/resources/?implementing(http://aps-standard.org/types/core/resource/1.0)&id=1000017",
    "/aps/2/collections/admin-users?organization.id=1",
    "/aps/2/services/order-manager/orders?like(orderNumber,*CL000058)",
    "/aps/2/resources?prop=eq=value",
    "/aps/2/resources?and(eq(a,b),or(ne(c,d),in(e,(f,g))),sort(-name,+id))",
    "/aps/2/resources?select(a,b.c),like(name,Zo\u{eb}*),not(empty())",
    "/aps/2/resources?a=true&b=null&c=empty()",
    "/?a=1&a=2&a=1",
    "/?name10=x&name1=y&name1=x",
    "/?b=1&a=2&B=3&A=4",
    "/?a&b=&=c&=",
    "/?a=b=c==",
    "/?a=b;c=d",
    "/?&&a=b&&",
    "/?a?b=c?d",
    "/?a+b=c+d&e=%20&f=%2B",
    "/?a=%FF%fe%80",
    "/?a=%C3%A9&b=\u{e9}",
    "/?a=%c3%a9",
    "/?a=%zz&b=%&c=%1&d=100%",
    "/?a=%25zz&b=%2525",
    "/?a=!*'()&b=%21%2A%27%28%29",
    "/?a=-._~&b=%2D%2E%5F%7E",
    "/?[a]={b}|c\\d^e`f",
    "/?a=%00%0a%0D",
    "/?http://a/b?c&d=e:f@g/h",
    "/?\u{20ac}=\u{1f600}",
    "/?caf\u{e9}&cafe\u{301}",
    "//",
    "//a//b",
    "/a/../b/./c",
    "/%7Euser/~user",
    "/%2F%2f",
    "/caf\u{e9}/%C3%A9/%c3%a9",
    "/!$&'()*+,;=:@",
    "/a;b=c/d",
    "/a\\b|c[d]{e}^",
    "/%/%z/%zz",
    "/a%20b/a+b",
];

const FORMS: [&str; 14] = [
    "",
    "a=b",
    "c2&a3=2+q",
    "a=1&a=2&b=&=c&",
    "status=Hello%20Ladies%20%2b%20Gentlemen%2c%20a%20signed%20OAuth%20request%21",
    "a+b=c+d",
    "a=b=c;d=e",
    "&&&",
    "a=%zz&b=%",
    "a=%FF&b=\u{e9}",
    "a=!*'()~",
    "a=\r\n&b=\0",
    "x=http://a/?b=c&d",
    "\u{1f600}=\u{20ac}",
];

/// What the upstream got as `Authorization`; that it verifies, the bench has checked.
#[track_caller]
fn authorization(bench: &Bench, request: impl AsRef<[u8]>) -> Authorization {
    let exchange = bench.forwarded(request);
    assert_eq!(exchange.record["oauth.signed"], true);
    bench.verify(&exchange.request)
}

#[test]
fn every_shape_of_target_and_form_verifies_upstream() {
    let bench = Bench::new();
    for target in TARGETS {
        authorization(&bench, get(target));
    }
    for form in FORMS {
        authorization(&bench, post_form("/", form));
        // Query and form are sorted together.
        authorization(&bench, post_form("/x?c%40=&a2=r%20b&a=0", form));
    }
    bench.finish();
}

#[test]
fn every_method_verifies_upstream() {
    let bench = Bench::new();
    for method in [
        "GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "get", "a!#",
    ] {
        authorization(
            &bench,
            format!("{method} /a?b=c HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        );
    }
    bench.finish();
}

#[test]
fn every_way_to_sign_verifies_upstream() {
    let realms = [Realm::None, Realm::Fixed("123_SB1".to_owned()), Realm::Uri];
    let pem = rsa_key();
    let rsa = |hash| Method::Rsa(RsaKey::from_pem(hash, pem.as_bytes()).unwrap());
    let methods = [
        Method::HmacSha1,
        Method::HmacSha256,
        Method::HmacSha512,
        rsa(RsaHash::Sha1),
        rsa(RsaHash::Sha256),
        rsa(RsaHash::Sha512),
        Method::Plaintext,
    ];
    for method in &methods {
        for realm in &realms {
            for query_plus in [QueryPlus::Space, QueryPlus::Literal] {
                let options = SigningOptions {
                    method: method.clone(),
                    realm: realm.clone(),
                    query_plus,
                    body_hash: false,
                };
                let bench = Bench::with(|setup| {
                    let setup = setup.signing(options).token("a token+/=", "its secret&%");
                    match method {
                        Method::Rsa(_) => setup.private_key(&pem),
                        _ => setup,
                    }
                });
                for target in ["/a?b=c+d&e=%20", "/aps/2/resources/?sort(+name)"] {
                    let authorization = authorization(&bench, get(target));
                    assert_eq!(authorization.token.as_deref(), Some("a token+/="));
                    let name = method.signature_method().name();
                    assert_eq!(authorization.signature_method, name);
                    let path = target.split('?').next().unwrap();
                    let expected = match realm {
                        Realm::None => None,
                        Realm::Fixed(realm) => Some(realm.clone()),
                        Realm::Uri => Some(format!("{}{path}", bench.upstream.url())),
                    };
                    assert_eq!(authorization.realm, expected);
                }
                authorization(&bench, post_form("/?a=+", "b=c+d"));
                bench.finish();
            }
        }
    }
}

#[test]
fn an_absent_token_and_an_empty_one_differ() {
    let without = Bench::new();
    assert_eq!(authorization(&without, GOOD).token, None);
    let value = without
        .upstream
        .request(0)
        .head
        .only("authorization")
        .to_owned();
    assert!(
        !value.contains("oauth_token") && !value.contains("realm"),
        "{value}"
    );
    without.finish();

    let empty = Bench::with(|setup| setup.token("", ""));
    assert_eq!(authorization(&empty, GOOD).token.as_deref(), Some(""));
    empty.finish();
}

#[test]
fn the_header_is_encoded_so_that_strict_servers_read_it() {
    let bench = Bench::with(|setup: Setup| setup.token("t+/=\"\u{e9}", "s"));
    for number in 0..20 {
        let exchange = bench.forwarded(get(&format!("/{number}")));
        let value = exchange.request.head.only("authorization").to_owned();
        let parameters = value.strip_prefix("OAuth ").unwrap();
        for parameter in parameters.split(", ") {
            let (name, quoted) = parameter.split_once('=').unwrap();
            assert!(name.starts_with("oauth_"), "{value}");
            let inside = quoted.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
            let is_encoded = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
            assert!(inside.bytes().all(is_encoded), "{value}");
        }
    }
    bench.finish();
}

#[test]
fn each_request_has_the_time_and_a_nonce_of_its_own() {
    let bench = Bench::new();
    let mut nonces = HashSet::new();
    for _ in 0..50 {
        let before = seconds_since_epoch();
        let (timestamp, nonce) = authorization(&bench, GOOD).stamp.unwrap();
        assert!((before..=seconds_since_epoch()).contains(&timestamp));
        assert!((8..=64).contains(&nonce.len()), "{nonce}");
        assert!(
            nonce.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            "{nonce}"
        );
        assert!(nonces.insert(nonce));
    }
    bench.finish();
}

fn seconds_since_epoch() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs())
}

#[test]
fn a_thousand_concurrent_requests_are_each_signed_with_a_nonce_of_their_own() {
    const REQUESTS: usize = 1000;
    // Both ends of each exchange are in this process.
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();

    let bench = Bench::new();
    let mut clients: Vec<_> = (0..REQUESTS).map(|_| bench.daemon.connect()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.send(get(&format!("/{number}?number={number}")));
    }
    for client in &mut clients {
        assert_eq!(client.response().status, 200);
    }
    let mut nonces = HashSet::new();
    let mut targets = HashSet::new();
    for _ in 0..REQUESTS {
        let request = bench.reached_upstream();
        let authorization = bench.verify(&request);
        assert!(nonces.insert(authorization.stamp.unwrap().1));
        assert!(targets.insert(request.target().to_vec()));
        assert_eq!(bench.record()["oauth.signed"], true);
    }
    bench.finish();
}
