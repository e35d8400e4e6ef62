//! The configuration: what a user wrote, turned into types that cannot be wrong.
//!
//! [`Config`] holds no `Option` for a value that must be there, and no string that still has to be parsed.
//! [`load`] makes one out of flags, variables and a file, or says everything that is wrong with them; [`Layers`] are
//! for what does so again and again. [`describe`] writes one down again. A relative path begins at the working
//! directory, wherever it was given.

mod address;
mod checks;
mod describe;
mod fault;
mod file;
mod flags;
mod layers;
mod origin;
mod path;
mod reader;
mod resolve;
mod scalar;
mod secret;
mod size;
mod source;
mod spelling;

use std::{fmt, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use secrecy::SecretString;

pub(crate) use self::origin::parse_host_and_port;
pub use self::{
    address::ListenAddressError,
    checks::{Checks, LogFileCheck, TlsCheck, TlsFault},
    describe::describe,
    fault::{Fault, Faults},
    flags::Flags,
    layers::Layers,
    origin::{HostError, Origin, OriginError},
};
use crate::{
    env::Environment,
    oauth::{Credentials, SigningOptions},
    systemd,
};

/// Reads the configuration from its file, the environment and the flags, resolves its secrets, and has others check what
/// it names.
///
/// This reads files and may run commands for up to ten seconds each, so it belongs outside of async tasks.
///
/// # Errors
///
/// Everything that is wrong, not only the first of it.
pub fn load(flags: &Flags, environment: &Environment, checks: Checks) -> Result<Config, Faults> {
    Layers::read(flags, environment)?.resolve(environment, checks)
}

/// Reads one proxy alone, for what is done without the daemon: only its own secrets are resolved.
///
/// Without a name it is the only one, or the one called `default`. With a name, flags and flat variables are about
/// that proxy. One that has no upstream gets `upstream`.
///
/// # Errors
///
/// Everything that is wrong with it, or that it can't be told which one is meant.
pub fn load_one(
    flags: &Flags,
    environment: &Environment,
    name: Option<&str>,
    upstream: Option<&Origin>,
    checks: Checks,
) -> Result<ProxyConfig, Faults> {
    let merged = source::merge(flags, environment, name).map_err(Faults::new)?;
    resolve::resolve_one(merged, environment, name, upstream, checks).map_err(Faults::new)
}

/// A whole, valid configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where and how exchanges are logged.
    pub log: LogConfig,
    /// Address of the admin listener, if there is one.
    pub admin: Option<ListenAddress>,
    /// The proxies, in the order of their names; at least one.
    pub proxies: Vec<ProxyConfig>,
}

/// `[log]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogConfig {
    /// The format; `None` means text on a terminal, otherwise JSON.
    pub format: Option<LogFormat>,
    /// The file; `None` means standard error.
    pub file: Option<PathBuf>,
}

/// How a log record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One line of `key=value` pairs.
    Text,
    /// One JSON object a line.
    Json,
}

/// One named proxy: listeners, an upstream and credentials.
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    /// The name, as in `[proxy.NAME]`.
    pub name: Arc<str>,
    /// Where it listens; at least one address.
    pub listen: Vec<ListenAddress>,
    /// Whether a listener may be neither loopback nor a Unix socket.
    pub allow_nonlocal_listen: bool,
    /// The platform it forwards to.
    pub upstream: Origin,
    /// Whether the upstream may be an `http` one.
    pub allow_plaintext_upstream: bool,
    /// What requests are signed with.
    pub credentials: Credentials,
    /// Where the consumer secret was found, if it was looked for.
    pub consumer_secret_source: Option<SecretSource>,
    /// Where the token secret was found, if it was looked for.
    pub token_secret_source: Option<SecretSource>,
    /// How requests are signed.
    pub signing: SigningOptions,
    /// The PEM file of the private key that requests are signed with, if they are signed with one.
    pub private_key_file: Option<PathBuf>,
    /// What becomes of an `Authorization` field that arrives with a request.
    pub inbound_authorization: InboundAuthorization,
    /// Field names, in lower case; a request bearing one of them is forwarded unsigned.
    pub passthrough_headers: Vec<String>,
    /// How the upstream is reached and trusted.
    pub tls: TlsConfig,
    /// Who may use this proxy, and for what.
    pub access: AccessConfig,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// How large things may be.
    pub limits: Limits,
}

/// Where a secret was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// A file.
    File(PathBuf),
    /// A variable of the environment, by its name.
    Variable(String),
    /// The output of this program. What it was given may itself be a secret, such as a password.
    Command(String),
}

/// Where a listener waits for connections.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ListenAddress {
    /// A TCP address; port 0 lets the system pick one.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
    /// A socket that systemd has bound.
    Systemd(SystemdSocket),
}

/// A socket that systemd has bound, as a configuration names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SystemdSocket {
    /// Its name; `None` stands for the only one that there is.
    pub name: Option<Arc<str>>,
    /// What was passed under this name; `None` if that is not known, since this is not the daemon.
    pub passed: Option<Arc<systemd::Socket>>,
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Systemd(socket) => match &socket.name {
                Some(name) => write!(f, "systemd:{name}"),
                None => f.write_str("systemd"),
            },
        }
    }
}

/// What becomes of an `Authorization` field that arrives with a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InboundAuthorization {
    /// It is replaced by ours.
    #[default]
    Replace,
    /// The request is refused.
    Reject,
    /// The request is forwarded unsigned with its own.
    Keep,
}

/// `[proxy.NAME.tls]`.
#[derive(Clone, Debug, Default)]
pub struct TlsConfig {
    /// Whose certificates are accepted when there is no pin.
    pub trust: Trust,
    /// A PEM file of root certificates that replaces the system's.
    pub ca_file: Option<PathBuf>,
    /// SHA-256 digests of the public keys (SPKI) that are trusted; with one, nothing else is.
    pub pin_sha256: Vec<[u8; 32]>,
    /// The name for SNI and verification, where it differs from the upstream's host.
    pub server_name: Option<String>,
    /// Host and port to connect to, where they differ from the upstream's.
    pub dial: Option<(String, u16)>,
    /// PEM files of a client certificate chain and its key.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
}

/// Whose certificates are accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// Those that the system's roots vouch for.
    #[default]
    System,
    /// Any.
    SelfSigned,
}

/// `[proxy.NAME.access]`.
#[derive(Clone, Debug, Default)]
pub struct AccessConfig {
    /// `Host` values accepted beside the listener's own, `localhost` and loopback addresses; in lower case.
    /// One without a port stands for every port.
    pub allowed_hosts: Vec<String>,
    /// `Origin` values accepted, as browsers send them.
    pub allowed_origins: Vec<String>,
    /// A token that each request must carry in `Proxy-Authorization: Bearer`.
    pub client_token: Option<SecretString>,
    /// The file that the token was found in.
    pub client_token_file: Option<PathBuf>,
    /// User ids that may connect to a Unix socket; empty means any that the socket's mode lets through.
    pub allowed_uids: Vec<u32>,
    /// What may be asked for; `None` means everything.
    pub allow: Option<Vec<AllowRule>>,
}

/// One entry of `allow`: methods and a glob that the path must match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowRule {
    /// Methods as they stand in a request line; empty means any.
    pub methods: Vec<String>,
    /// A path, where `*` stands for anything within a segment and `**` for anything at all.
    pub path: String,
}

/// `[proxy.NAME.timeouts]`.
#[derive(Clone, Debug)]
pub struct Timeouts {
    /// For DNS, TCP and TLS together.
    pub connect: Duration,
    /// For a request's head, from its first byte.
    pub request_headers: Duration,
    /// From the end of a request to the first byte of its answer.
    pub first_byte: Duration,
    /// With no byte either way within an exchange.
    pub idle: Duration,
    /// For an idle client connection.
    pub keep_alive: Duration,
    /// For an idle upstream connection.
    pub pool_idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            request_headers: Duration::from_secs(10),
            first_byte: Duration::from_secs(60),
            idle: Duration::from_secs(300),
            keep_alive: Duration::from_secs(75),
            pool_idle: Duration::from_secs(15),
        }
    }
}

/// `[proxy.NAME.limits]`.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Client connections at once.
    pub connections: usize,
    /// Bytes of a head's field section.
    pub header_bytes: usize,
    /// Bytes of a form, which is held in memory to be signed.
    pub form_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            header_bytes: 64 * 1024,
            form_bytes: 1024 * 1024,
        }
    }
}
