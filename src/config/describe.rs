//! A configuration written down as TOML.

use std::{fmt::Display, path::Path, time::Duration};

use secrecy::ExposeSecret as _;

use super::{
    AccessConfig, Config, InboundAuthorization, LogConfig, LogFormat, ProxyConfig, SecretSource,
    TlsConfig, Trust, size::format_size,
};
use crate::oauth::{QueryPlus, Realm};

/// Writes a configuration as TOML, with each default filled in. Of a secret, it says where it was found.
pub fn describe(config: &Config) -> String {
    let mut toml = Toml::default();
    describe_log(&mut toml, &config.log);
    if let Some(admin) = &config.admin {
        toml.table("admin");
        toml.text("listen", admin);
        if !admin.is_local() {
            toml.plain("allow_nonlocal_listen", true);
        }
    }
    for proxy in &config.proxies {
        describe_proxy(&mut toml, proxy);
    }
    toml.0
}

/// A document in the making.
#[derive(Default)]
struct Toml(String);

impl Toml {
    fn table(&mut self, name: &str) {
        let separator = if self.0.is_empty() { "" } else { "\n" };
        self.0.push_str(&format!("{separator}[{name}]\n"));
    }

    /// A number or a switch.
    fn plain(&mut self, key: &str, value: impl Display) {
        self.0.push_str(&format!("{key} = {value}\n"));
    }

    fn text(&mut self, key: &str, value: impl Display) {
        self.plain(key, quoted(&value));
    }

    fn path(&mut self, key: &str, value: &Path) {
        self.text(key, value.display());
    }

    fn list<T>(&mut self, key: &str, items: &[T], write: impl Fn(&T) -> String) {
        let items: Vec<_> = items.iter().map(write).collect();
        self.plain(key, format_args!("[{}]", items.join(", ")));
    }

    fn duration(&mut self, key: &str, value: Duration) {
        self.text(key, humantime::format_duration(value));
    }

    /// Stands for a secret, of which not even the length is told. Since it was found there, what is told of the place is
    /// no secret given by mistake.
    fn secret(&mut self, key: &str, source: Option<&SecretSource>) {
        let place = match source {
            Some(SecretSource::File(path)) => {
                format!("{key}_file = {} #", quoted(&path.display()))
            }
            Some(SecretSource::Variable(name)) => format!("{key}_env = {} #", quoted(name)),
            Some(SecretSource::Command(program)) => {
                format!("# {key}_command = [{}, …]:", quoted(program))
            }
            None => format!("# {key}:"),
        };
        self.0.push_str(&format!("{place} resolved, not shown\n"));
    }
}

/// A basic string of TOML.
fn quoted(value: &(impl Display + ?Sized)) -> String {
    let mut text = String::from("\"");
    for c in value.to_string().chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            c if c.is_control() => text.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

fn describe_log(toml: &mut Toml, log: &LogConfig) {
    if log.format.is_none() && log.file.is_none() {
        return;
    }
    toml.table("log");
    match log.format {
        Some(LogFormat::Text) => toml.text("format", "text"),
        Some(LogFormat::Json) => toml.text("format", "json"),
        None => {}
    }
    if let Some(file) = &log.file {
        toml.path("file", file);
    }
}

fn describe_proxy(toml: &mut Toml, proxy: &ProxyConfig) {
    let name = &proxy.name;
    toml.table(&format!("proxy.{name}"));
    toml.list("listen", &proxy.listen, quoted);
    toml.plain("allow_nonlocal_listen", proxy.allow_nonlocal_listen);
    toml.text("upstream", &proxy.upstream);
    toml.plain("allow_plaintext_upstream", proxy.allow_plaintext_upstream);
    describe_signing(toml, proxy);
    toml.list("passthrough_headers", &proxy.passthrough_headers, quoted);

    toml.table(&format!("proxy.{name}.tls"));
    describe_tls(toml, &proxy.tls);
    toml.table(&format!("proxy.{name}.access"));
    describe_access(toml, &proxy.access);

    let timeouts = &proxy.timeouts;
    toml.table(&format!("proxy.{name}.timeouts"));
    toml.duration("connect", timeouts.connect);
    toml.duration("request_headers", timeouts.request_headers);
    toml.duration("first_byte", timeouts.first_byte);
    toml.duration("idle", timeouts.idle);
    toml.duration("keep_alive", timeouts.keep_alive);
    toml.duration("pool_idle", timeouts.pool_idle);

    let limits = &proxy.limits;
    toml.table(&format!("proxy.{name}.limits"));
    toml.plain("connections", limits.connections);
    toml.text("header_bytes", format_size(limits.header_bytes));
    toml.text("form_bytes", format_size(limits.form_bytes));
}

fn describe_signing(toml: &mut Toml, proxy: &ProxyConfig) {
    let credentials = &proxy.credentials;
    toml.text("consumer_key", &credentials.consumer_key);
    // An RSA method needs none.
    if !credentials.consumer_secret.expose_secret().is_empty() {
        let source = proxy.consumer_secret_source.as_ref();
        toml.secret("consumer_secret", source);
    }
    if let Some(token) = &credentials.token {
        toml.text("token", token);
    }
    if !credentials.token_secret.expose_secret().is_empty() {
        toml.secret("token_secret", proxy.token_secret_source.as_ref());
    }
    let method = proxy.signing.method.signature_method();
    toml.text("signature_method", method.name());
    if let Some(file) = &proxy.private_key_file {
        toml.path("private_key_file", file);
    }
    let realm = match &proxy.signing.realm {
        Realm::None => "",
        Realm::Fixed(realm) => realm,
        Realm::Uri => "uri",
    };
    toml.text("realm", realm);
    let query_plus = match proxy.signing.query_plus {
        QueryPlus::Space => "space",
        QueryPlus::Literal => "literal",
    };
    toml.plain("body_hash", proxy.signing.body_hash);
    toml.text("query_plus", query_plus);
    let inbound_authorization = match proxy.inbound_authorization {
        InboundAuthorization::Replace => "replace",
        InboundAuthorization::Reject => "reject",
        InboundAuthorization::Keep => "keep",
    };
    toml.text("inbound_authorization", inbound_authorization);
}

fn describe_tls(toml: &mut Toml, tls: &TlsConfig) {
    let trust = match tls.trust {
        Trust::System => "system",
        Trust::SelfSigned => "self-signed",
    };
    toml.text("trust", trust);
    if let Some(file) = &tls.ca_file {
        toml.path("ca_file", file);
    }
    toml.list("pin_sha256", &tls.pin_sha256, |pin| {
        quoted(&encode_pin(pin))
    });
    if let Some(name) = &tls.server_name {
        toml.text("server_name", name);
    }
    if let Some((host, port)) = &tls.dial {
        let brackets = host.contains(':');
        let (open, close) = if brackets { ("[", "]") } else { ("", "") };
        toml.text("dial", format_args!("{open}{host}{close}:{port}"));
    }
    if let Some((certificate, key)) = &tls.client_certificate {
        toml.path("client_certificate_file", certificate);
        toml.path("client_key_file", key);
    }
}

fn encode_pin(pin: &[u8; 32]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    STANDARD.encode(pin)
}

fn describe_access(toml: &mut Toml, access: &AccessConfig) {
    toml.list("allowed_hosts", &access.allowed_hosts, quoted);
    toml.list("allowed_origins", &access.allowed_origins, quoted);
    if access.client_token.is_some() {
        let source = access.client_token_file.clone();
        let source = source.map(SecretSource::File);
        toml.secret("client_token", source.as_ref());
    }
    toml.list("allowed_uids", &access.allowed_uids, ToString::to_string);
    if let Some(rules) = &access.allow {
        toml.list("allow", rules, |rule| {
            let methods: Vec<_> = rule.methods.iter().map(quoted).collect();
            format!(
                "{{ methods = [{}], path = {} }}",
                methods.join(", "),
                quoted(&rule.path)
            )
        });
    }
}
