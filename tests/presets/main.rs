//! The files in `config/presets`: each as it is, with typical requests, against what the service's own documentation
//! says. Nothing that is expected comes from the file, but for what its user has to fill in.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "what a test needs fails by panicking, outside of its function too"
)]

mod services;
#[path = "../support/mod.rs"]
mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use services::{CONSUMER_KEY, CONSUMER_SECRET, PRIVATE_KEY, SERVICES, Service, TOKEN_SECRET};
use sha2::{Digest as _, Sha256};
use support::{
    bench::Bench,
    certificates::rsa_key,
    command::undersign,
    setup::{random_text, write_secret},
};
use undersign::oauth::{Credentials, Method, RsaHash, RsaKey, SigningOptions};

/// It takes a while to make one.
static KEY: LazyLock<String> = LazyLock::new(rsa_key);

#[test]
fn each_preset_signs_as_the_service_wants_it() {
    for service in &SERVICES {
        let bench = bench(service);
        for (line, content) in service.requests {
            check(service, &bench, line, content);
        }
        bench.finish();
    }
}

#[test]
fn requests_that_bring_a_token_of_the_aps_platform_pass_unsigned() {
    let bench = bench(&SERVICES[0]);
    let exchange = bench.forwarded(
        "GET /aps/2/resources HTTP/1.1\r\nHost: localhost\r\nAPS-Token: eyJhbGciOi\r\n\r\n",
    );
    assert_eq!(exchange.record["proxy"], "aps");
    assert_eq!(exchange.record["oauth.signed"], false);
    assert!(!exchange.request.head.has("authorization"));
    bench.finish();
}

#[test]
fn each_preset_is_accepted_once_the_secrets_that_it_names_exist() {
    for service in &SERVICES {
        let directory = tempfile::tempdir().unwrap();
        let mut variables = Vec::new();
        for (key, secret) in service.made_up_secrets() {
            let path = write_secret(directory.path(), key, &secret);
            variables.push((service.variable(key), path.to_str().unwrap().to_owned()));
        }
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let file = service.file();
        let words = ["check", "--config", file.to_str().unwrap()];
        let ended = undersign(directory.path(), &words, &variables);
        let outcome = (ended.code, ended.stderr.as_str());
        assert_eq!(outcome, (Some(0), ""), "{}", service.name);
        assert!(ended.stdout.contains("upstream = \"https://"));

        let text = fs::read_to_string(file).unwrap();
        let named: BTreeSet<_> = text
            .lines()
            .filter_map(|line| line.split_once(" = \"/run/secrets/"))
            .map(|(key, _)| key)
            .collect();
        assert_eq!(named, service.secrets.iter().copied().collect());
    }
}

#[test]
fn there_is_no_preset_but_those_and_the_readme_names_each() {
    let files = fs::read_dir(presets()).unwrap();
    let files: BTreeSet<_> = files.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files, SERVICES.iter().map(Service::file).collect());

    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).unwrap();
    for service in &SERVICES {
        let link = format!("(config/presets/{}.toml)", service.name);
        let row = readme.lines().find(|line| line.contains(&link));
        let row = row.unwrap_or_else(|| panic!("no link {link}"));
        assert!(row.contains(service.signature_method), "{row}");
    }
}

impl Service {
    fn file(&self) -> PathBuf {
        presets().join(self.name).with_extension("toml")
    }

    /// The variable that overrides a key of the proxy.
    fn variable(&self, key: &str) -> String {
        format!("UNDERSIGN_PROXY__{}__{key}", self.name).to_uppercase()
    }

    /// The content of each file with a secret, different in each run.
    fn made_up_secrets(&self) -> Vec<(&'static str, String)> {
        let make = |key| match key {
            PRIVATE_KEY => KEY.clone(),
            // With characters that are encoded before they become part of a key (RFC 5849 §3.4.2).
            _ => format!("{}+/=&%", random_text(32)),
        };
        self.secrets.iter().map(|key| (*key, make(*key))).collect()
    }

    fn method(&self, private_key: &str) -> Method {
        let rsa = |hash| Method::Rsa(RsaKey::from_pem(hash, private_key.as_bytes()).unwrap());
        match self.signature_method {
            "HMAC-SHA1" => Method::HmacSha1,
            "HMAC-SHA256" => Method::HmacSha256,
            "RSA-SHA1" => rsa(RsaHash::Sha1),
            "RSA-SHA256" => rsa(RsaHash::Sha256),
            other => panic!("no service wants {other}"),
        }
    }
}

/// A daemon with the preset, and an upstream that verifies what the service wants.
fn bench(service: &Service) -> Bench {
    let secrets: BTreeMap<_, _> = service.made_up_secrets().into_iter().collect();
    let secret = |key| secrets.get(key).cloned().unwrap_or_default();
    let credentials = Credentials {
        consumer_key: CONSUMER_KEY.to_owned(),
        consumer_secret: secret(CONSUMER_SECRET).into(),
        token: service.token.map(str::to_owned),
        token_secret: secret(TOKEN_SECRET).into(),
    };
    let signing = SigningOptions {
        method: service.method(&secret(PRIVATE_KEY)),
        ..SigningOptions::default()
    };
    Bench::with(|mut setup| {
        for (key, content) in &secrets {
            let path = setup.secret_file(key, content);
            setup = setup.variable(&service.variable(key), path.to_str().unwrap());
        }
        setup
            .file(&service.file(), service.name)
            .expecting(credentials, signing)
    })
}

/// Sends a request; the bench verifies what arrives. All but signature and stamp has to stand in the header literally.
#[track_caller]
fn check(service: &Service, bench: &Bench, line: &str, content: &str) {
    let mut request = format!("{line} HTTP/1.1\r\nHost: localhost\r\n");
    if !content.is_empty() {
        let media_type = media_type(content);
        let length = content.len();
        request += &format!("Content-Type: {media_type}\r\nContent-Length: {length}\r\n");
    }
    let exchange = bench.forwarded(format!("{request}\r\n{content}"));
    assert_eq!(exchange.record["proxy"], service.name);
    assert_eq!(exchange.record["oauth.signed"], true);
    let (method, target) = line.split_once(' ').unwrap();
    assert_eq!(exchange.request.method(), method);
    assert_eq!(exchange.request.target(), target.as_bytes());
    assert_eq!(exchange.request.body, content.as_bytes());

    let mut expected = BTreeMap::from([
        ("oauth_consumer_key", CONSUMER_KEY.to_owned()),
        (
            "oauth_signature_method",
            service.signature_method.to_owned(),
        ),
        ("oauth_version", "1.0".to_owned()),
    ]);
    if let Some(token) = service.token {
        expected.insert("oauth_token", token.to_owned());
    }
    if let Some(realm) = service.realm {
        let path = target.split('?').next().unwrap();
        let realm = match realm {
            "uri" => format!("{}{path}", bench.upstream.url()),
            realm => realm.to_owned(),
        };
        expected.insert("realm", realm);
    }
    if service.body_hash {
        let hash = BASE64.encode(Sha256::digest(content));
        let hash = hash.replace('+', "%2B").replace('/', "%2F");
        expected.insert("oauth_body_hash", hash.replace('=', "%3D"));
    }
    let field = exchange.request.head.only("authorization");
    let mut found: BTreeMap<_, _> = field
        .strip_prefix("OAuth ")
        .unwrap()
        .split(", ")
        .map(|parameter| parameter.split_once('=').unwrap())
        .map(|(name, value)| {
            let inside = value.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
            (name, inside.to_owned())
        })
        .collect();
    for name in ["oauth_signature", "oauth_timestamp", "oauth_nonce"] {
        assert!(found.remove(name).is_some(), "no {name}: {field}");
    }
    assert_eq!(found, expected, "{field}");
}

fn media_type(content: &str) -> &'static str {
    match content.as_bytes()[0] {
        b'{' => "application/json",
        b'<' => "application/xml",
        _ => "application/x-www-form-urlencoded",
    }
}

fn presets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/presets")
}
