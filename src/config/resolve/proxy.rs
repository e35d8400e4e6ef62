//! One `[proxy.NAME]`.

use std::path::PathBuf;

use super::{listen, parse};
use crate::{
    config::{
        AccessConfig, AllowRule, Checks, InboundAuthorization, Limits, ListenAddress, Origin,
        ProxyConfig, SecretSource, Timeouts, TlsConfig, Trust,
        fault::{Located, Place},
        reader::Section,
        secret::{self, CONSUMER_SECRET, Found, Secrets, TOKEN_SECRET},
    },
    oauth::{Credentials, Method, QueryPlus, SigningOptions},
};

/// A GiB, more than anybody wants held in memory for one request.
const MAX_FORM_BYTES: usize = 1 << 30;

/// Reads a proxy, and adds its listeners to `listeners`. `None` after a fault that leaves nothing to put in place.
/// `upstream` is for one that has none.
pub(super) fn resolve(
    name: &str,
    mut section: Section<'_>,
    secrets: &Secrets<'_>,
    upstream: Option<&Origin>,
    checks: Checks,
    listeners: &mut Vec<Located<ListenAddress>>,
) -> Option<ProxyConfig> {
    if !parse::is_proxy_name(name) {
        let problem = "is no name for a proxy: use up to 64 letters, digits, - and _";
        section.ledger().note(&section.place(), problem);
    }
    let allow_nonlocal_listen = section.switch("allow_nonlocal_listen").value;
    let allow_plaintext_upstream = section.switch("allow_plaintext_upstream").value;
    let listen = listen::of_proxy(&mut section, allow_nonlocal_listen);
    listeners.extend_from_slice(&listen);
    let upstream_place = section.place_of("upstream");
    let upstream = match upstream.filter(|_| !section.is_set("upstream")) {
        Some(upstream) => {
            section.read("upstream", str::parse::<Origin>);
            Some(upstream.clone())
        }
        None => read_upstream(&mut section, allow_plaintext_upstream),
    };
    let (signing, private_key_file) = signing(&mut section);
    let needs_secret = private_key_file.is_none();
    let (credentials, [consumer_secret_source, token_secret_source]) =
        credentials(&mut section, secrets, needs_secret);
    let inbound_authorization = section.choice(
        "inbound_authorization",
        &[
            ("replace", InboundAuthorization::Replace),
            ("reject", InboundAuthorization::Reject),
            ("keep", InboundAuthorization::Keep),
        ],
    );
    let passthrough_headers = section.list("passthrough_headers", parse::header_name);
    let tls_section = section.section("tls");
    let tls = tls(tls_section, checks, upstream.as_ref(), &upstream_place);
    let access = access(section.section("access"));
    let timeouts = timeouts(section.section("timeouts"));
    let limits = limits(section.section("limits"));
    section.finish();
    Some(ProxyConfig {
        name: name.into(),
        listen: values(Some(listen)),
        allow_nonlocal_listen,
        upstream: upstream?,
        allow_plaintext_upstream,
        credentials: credentials?,
        consumer_secret_source,
        token_secret_source,
        signing,
        private_key_file,
        inbound_authorization: inbound_authorization.unwrap_or_default(),
        passthrough_headers: values(passthrough_headers),
        tls,
        access,
        timeouts,
        limits,
    })
}

fn read_upstream(section: &mut Section<'_>, allow_plaintext: bool) -> Option<Origin> {
    let missing = "is missing: give --upstream URL, UNDERSIGN_UPSTREAM or this key";
    let upstream = section.require("upstream", missing, str::parse::<Origin>)?;
    if !upstream.value.https && !allow_plaintext {
        section.ledger().note(
            &upstream.place,
            "is not encrypted: use https://, \
             or allow it with --allow-plaintext-upstream or allow_plaintext_upstream = true",
        );
    }
    Some(upstream.value)
}

/// The credentials, and where their secrets were found. `needs_secret` says whether requests are signed with the secrets,
/// and not with a private key.
fn credentials(
    section: &mut Section<'_>,
    secrets: &Secrets<'_>,
    needs_secret: bool,
) -> (Option<Credentials>, [Option<SecretSource>; 2]) {
    let missing = "is missing: give --consumer-key KEY, UNDERSIGN_CONSUMER_KEY or this key";
    let consumer_key = section.require("consumer_key", missing, parse::nonempty_header_text);
    let place = section.place_of("consumer_secret");
    let faults_before = section.ledger().count();
    let consumer_secret = secrets.resolve(section, CONSUMER_SECRET);
    // A secret in the file itself is reported with the unknown keys, and what to do instead.
    let is_misplaced = section.is_set("consumer_secret");
    let is_missing = consumer_secret.is_none() && section.ledger().count() == faults_before;
    if needs_secret && is_missing && !is_misplaced {
        let problem = "is missing: give --consumer-secret-file FILE or UNDERSIGN_CONSUMER_SECRET, or one of the keys \
                       consumer_secret_file, consumer_secret_env and consumer_secret_command";
        section.ledger().note(&place, problem);
    }
    let token_is_set = section.is_set("token");
    let token = section.read("token", parse::header_text);
    let token_secret = secrets.resolve(section, TOKEN_SECRET);
    if let (Some(secret), false) = (&token_secret, token_is_set) {
        let problem = "is a secret without its token: give the token too, even if it is empty, or remove the secret";
        section.ledger().note(&secret.place, problem);
    }
    // Without a secret that is needed, there is a fault by now, and nothing is made of these.
    let parts = |found: Option<Found>| found.map(|found| (found.value, found.source)).unzip();
    let (consumer_secret, consumer_secret_source) = parts(consumer_secret);
    let (token_secret, token_secret_source) = parts(token_secret);
    let credentials = consumer_key.map(|consumer_key| Credentials {
        consumer_key: consumer_key.value,
        consumer_secret: consumer_secret.unwrap_or_default(),
        token: token.map(|token| token.value),
        token_secret: token_secret.unwrap_or_default(),
    });
    (credentials, [consumer_secret_source, token_secret_source])
}

/// How requests are signed, and the file of the private key where one is used.
fn signing(section: &mut Section<'_>) -> (SigningOptions, Option<PathBuf>) {
    let (method, private_key_file) = method(section);
    let realm = section.read("realm", parse::realm);
    let query_plus = section.choice(
        "query_plus",
        &[("space", QueryPlus::Space), ("literal", QueryPlus::Literal)],
    );
    let signing = SigningOptions {
        method,
        realm: realm.map(|realm| realm.value).unwrap_or_default(),
        query_plus: query_plus.unwrap_or_default(),
        body_hash: section.switch("body_hash").value,
    };
    (signing, private_key_file)
}

/// A method and its key, neither without the other. After a fault it doesn't matter which method is returned.
fn method(section: &mut Section<'_>) -> (Method, Option<PathBuf>) {
    let place = section.place_of("private_key_file");
    let method_is_set = section.is_set("signature_method");
    let method = section.read("signature_method", parse::signature_method);
    let key_file = section.path("private_key_file");
    let name = method.as_ref().map(|method| method.value);
    let hash = match (name, &key_file) {
        (Some(name), _) if let Some(hash) = name.rsa_hash() => hash,
        // Without a key, none of those is left but what a name alone makes.
        (name, None) => {
            let method = name.map(Method::try_from).and_then(Result::ok);
            return (method.unwrap_or_default(), None);
        }
        // A method that can't be read has been reported, and was most likely meant to be one of RSA.
        (None, Some(key_file)) if method_is_set => {
            return (Method::default(), Some(key_file.value.clone()));
        }
        (_, Some(key_file)) => {
            let problem = "is of no use to this signature_method: choose RSA-SHA1, RSA-SHA256 or RSA-SHA512, or \
                           remove this key";
            section.ledger().note(&key_file.place, problem);
            return (Method::default(), None);
        }
    };
    let Some(key_file) = key_file else {
        let problem =
            "is missing: this signature_method signs with a private key, so name its PEM file";
        section.ledger().note(&place, problem);
        // As if there were one: whether there is a secret does not matter then.
        return (Method::default(), Some(PathBuf::new()));
    };
    let key = secret::read_private_key(section, &key_file, hash);
    let method = key.map_or_else(Method::default, Method::Rsa);
    (method, Some(key_file.value))
}

/// `upstream` is `None` where it can't be read, which does not keep the rest from being looked at.
fn tls(
    mut section: Section<'_>,
    checks: Checks,
    upstream: Option<&Origin>,
    upstream_place: &Place,
) -> TlsConfig {
    let keys = [
        "ca_file",
        "server_name",
        "client_certificate_file",
        "client_key_file",
    ];
    let places = keys.map(|key| (key, section.place_of(key)));
    let trust = section.choice(
        "trust",
        &[
            ("system", Trust::System),
            ("self-signed", Trust::SelfSigned),
        ],
    );
    let ca_file = section.path("ca_file");
    let pins = section.list("pin_sha256", parse::pin);
    let server_name = section.read("server_name", parse::server_name);
    let dial = section.read("dial", parse::dial);
    let certificate = section.path("client_certificate_file");
    let key = section.path("client_key_file");
    if let Some(key) = &key {
        secret::check_key_exposure(&section, key);
    }
    let client_certificate = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate.value, key.value)),
        (Some(alone), None) => {
            section
                .ledger()
                .note(&alone.place, "needs client_key_file beside it");
            None
        }
        (None, Some(alone)) => {
            section
                .ledger()
                .note(&alone.place, "needs client_certificate_file beside it");
            None
        }
        (None, None) => None,
    };
    let ledger = section.ledger();
    section.finish();
    let config = TlsConfig {
        trust: trust.unwrap_or_default(),
        ca_file: ca_file.map(|file| file.value),
        pin_sha256: values(pins),
        server_name: server_name.and_then(|name| name.value),
        dial: dial.and_then(|address| address.value),
        client_certificate,
    };
    // Without TLS none of it is used, but a file that is wrong is wrong. Any host will do then, and in place of an upstream
    // that has been reported.
    let secure = upstream.filter(|upstream| upstream.https);
    let host = secure.map_or("localhost", |upstream| &upstream.host);
    let check = checks.tls.into_iter();
    for fault in check.flat_map(|check| check(&config, host)) {
        let place = places.iter().find(|(key, _)| *key == fault.key);
        let place = place.map_or(upstream_place, |(_, place)| place);
        ledger.note(place, fault.message);
    }
    config
}

fn access(mut section: Section<'_>) -> AccessConfig {
    let client_token = secret::read_secret_file(&mut section, "client_token_file");
    let (client_token, client_token_file) = client_token.unzip();
    let access = AccessConfig {
        allowed_hosts: values(section.list("allowed_hosts", parse::allowed_host)),
        allowed_origins: values(section.list("allowed_origins", parse::allowed_origin)),
        client_token,
        client_token_file,
        allowed_uids: values(section.numbers("allowed_uids")),
        allow: section
            .sections("allow")
            .map(|rules| rules.into_iter().filter_map(allow_rule).collect()),
    };
    section.finish();
    access
}

fn allow_rule(mut section: Section<'_>) -> Option<AllowRule> {
    let methods = section.list("methods", parse::method);
    let path = section.require(
        "path",
        "is missing: say which paths, such as \"/aps/2/**\"",
        parse::path_glob,
    );
    section.finish();
    Some(AllowRule {
        methods: values(methods),
        path: path?.value,
    })
}

fn timeouts(mut section: Section<'_>) -> Timeouts {
    let default = Timeouts::default();
    let timeouts = Timeouts {
        connect: section.duration("connect", default.connect),
        request_headers: section.duration("request_headers", default.request_headers),
        first_byte: section.duration("first_byte", default.first_byte),
        idle: section.duration("idle", default.idle),
        keep_alive: section.duration("keep_alive", default.keep_alive),
        pool_idle: section.duration("pool_idle", default.pool_idle),
    };
    section.finish();
    timeouts
}

fn limits(mut section: Section<'_>) -> Limits {
    let default = Limits::default();
    let limits = Limits {
        connections: section.count("connections", default.connections, 1..=1_000_000),
        // hyper reads a head into a buffer of at least 8 KiB.
        header_bytes: section.size("header_bytes", default.header_bytes, 8 << 10..=16 << 20),
        form_bytes: section.size("form_bytes", default.form_bytes, 1..=MAX_FORM_BYTES),
    };
    section.finish();
    limits
}

fn values<T>(found: Option<Vec<Located<T>>>) -> Vec<T> {
    found
        .into_iter()
        .flatten()
        .map(|found| found.value)
        .collect()
}
