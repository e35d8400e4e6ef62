//! `undersign demo`: a platform that verifies signatures, and a proxy in front of it, on this machine alone.

mod platform;
mod resources;

use std::{
    error::Error,
    ffi::OsString,
    fmt::Write as _,
    process::{Command, Stdio},
    sync::Arc,
};

use rand::distr::{Alphanumeric, SampleString};
use secrecy::SecretString;
use tokio::{net::TcpListener, task};

use self::platform::Platform;
use crate::{
    config::{
        AccessConfig, Config, InboundAuthorization, Limits, ListenAddress, LogConfig, LogFormat,
        Origin, ProxyConfig, Timeouts, TlsConfig,
    },
    env::Environment,
    log::{self, Destination, Log},
    metrics::Metrics,
    oauth::{Credentials, SigningOptions},
    server::{DRAIN, End, Server, StartError},
    upstream::Acceptor,
};

const DEFAULT_LISTEN: &str = "127.0.0.1:8080";

/// Lengths as platforms hand them out.
const KEY_LENGTH: usize = 32;
const SECRET_LENGTH: usize = 64;

/// A platform and a proxy, with their sockets bound.
#[derive(Debug)]
pub struct Demo {
    platform: Arc<Platform>,
    platform_socket: TcpListener,
    platform_address: String,
    server: Server,
    proxy: ListenAddress,
    log: Log,
    /// What the curl that is started may see of the environment.
    variables: Vec<(OsString, OsString)>,
}

/// Why the demonstration can't start.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The address is not one to listen on.
    #[error("--listen: {0}")]
    Listen(String),
    /// The proxy can't start.
    #[error("{0}")]
    Start(StartError),
    /// Anything else.
    #[error("can't set the demonstration up: {0}")]
    Other(Box<dyn Error + Send + Sync>),
}

impl Demo {
    /// Makes credentials and a certificate, and binds both sockets; nothing of it outlives the process.
    ///
    /// # Errors
    /// The proxy's address is wrong or taken, or something else is in the way.
    pub async fn start(listen: Option<&str>, environment: &Environment) -> Result<Self, DemoError> {
        let listen = parse_listen(listen.unwrap_or(DEFAULT_LISTEN))?;
        let log = log::start(LogFormat::Text, Destination::Stderr).map_err(other)?;
        let platform_socket = TcpListener::bind("127.0.0.1:0").await.map_err(other)?;
        let port = platform_socket.local_addr().map_err(other)?.port();
        let origin = Origin {
            https: true,
            host: "localhost".to_owned(),
            port,
        };
        let acceptor =
            Acceptor::self_signed(&["localhost", "127.0.0.1"]).map_err(DemoError::Other)?;
        let credentials = random_credentials();
        let config = Config {
            log: LogConfig::default(),
            admin: None,
            proxies: vec![proxy_config(listen, &origin, &credentials, &acceptor)],
        };
        let mut faults = Vec::new();
        let server = Server::bind(config, Arc::new(Metrics::new(log.lost())))
            .map_err(|found| faults.extend(found))
            .ok();
        let Some(server) = server else {
            let fault = faults.into_iter().next();
            return Err(fault.map_or_else(|| other("no reason given"), DemoError::Start));
        };
        let listening = server.listening();
        let proxy = listening.into_iter().map(|(_, address, _)| address).next();
        Ok(Self {
            platform_address: origin.to_string(),
            platform: Arc::new(Platform::new(&credentials, &origin, acceptor)),
            platform_socket,
            server,
            proxy: proxy.ok_or_else(|| other("the proxy has no address"))?,
            log,
            variables: environment
                .for_child(&[])
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        })
    }

    /// What there is, and what to try.
    pub fn introduction(&self) -> String {
        let platform = &self.platform_address;
        let (proxy, to_proxy) = match &self.proxy {
            ListenAddress::Tcp(address) => (format!("http://{address}"), String::new()),
            ListenAddress::Unix(path) => (
                "http://localhost".to_owned(),
                format!(" --unix-socket {}", path.display()),
            ),
            // A listener says where it is bound.
            ListenAddress::Systemd(_) => (self.proxy.to_string(), String::new()),
        };
        let mut text = String::new();
        // Writing to a String can't fail.
        let _ = write!(
            text,
            "\
Undersign demo: nothing leaves this machine, and nothing is left behind. Stop it with Ctrl-C.

  platform  {platform}   wants OAuth 1.0a (HMAC-SHA1); self-signed certificate
  proxy     {proxy}   signs what you send it and forwards it to the platform

Paste these into another terminal:

  # Resources, by a query that must arrive as it is typed
  curl -g{to_proxy} '{proxy}{QUERY}'

  # An order
  curl{to_proxy} '{proxy}/aps/2/services/order-manager/orders' -H 'Content-Type: application/json' \\
    -d '{{\"type\":\"SALES\",\"accountId\":\"992d543f-e5e7-4439-a139-38b364ce49af\",\"products\":[{{\"planId\":\"6a8513fd-c222-42f0-ab47-985477e807c6\"}}]}}'

  # The same order, found again
  curl -g{to_proxy} '{proxy}/aps/2/services/order-manager/orders?like(type,S*)'

  # Without undersign the platform refuses, and says why
  curl -gk '{platform}{QUERY}'

"
        );
        text
    }

    /// Sends the first of the requests by the real curl, if there is one, and shows what came of it.
    async fn first_request(proxy: ListenAddress, variables: Vec<(OsString, OsString)>) {
        let shown = task::spawn_blocking(move || {
            let mut curl = Command::new("curl");
            // Nothing of the user's own settings, and none of our variables.
            curl.env_clear().envs(variables);
            curl.args([
                "--disable",
                "--noproxy",
                "*",
                "--silent",
                "--show-error",
                "--include",
                "--globoff",
                "--max-time",
                "10",
            ]);
            match &proxy {
                ListenAddress::Tcp(address) => curl.arg(format!("http://{address}{QUERY}")),
                ListenAddress::Unix(path) => curl
                    .arg("--unix-socket")
                    .arg(path)
                    .arg(format!("http://localhost{QUERY}")),
                // A listener says where it is bound.
                ListenAddress::Systemd(_) => &mut curl,
            };
            curl.stdin(Stdio::null()).output()
        });
        let text = match shown.await {
            Ok(Ok(output)) => format!(
                "The first of them, as curl shows it:\n\n{}{}\n",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr),
            ),
            _ => "There is no curl here to send the first of them with.\n".to_owned(),
        };
        show(&text);
    }

    /// Serves until it has to `end`.
    pub async fn run(self, end: End) {
        let platform = tokio::spawn(self.platform.serve(self.platform_socket));
        let first = tokio::spawn(Self::first_request(self.proxy, self.variables));
        self.server.serve(end, DRAIN).await;
        first.abort();
        platform.abort();
        drop(self.log);
    }
}

/// The query of the first request.
const QUERY: &str = "/aps/2/resources?implementing(http://aps-standard.org/types/core/resource/1.0),like(name,*a*),sort(+name),limit(0,2)";

fn parse_listen(text: &str) -> Result<ListenAddress, DemoError> {
    let address = text
        .parse::<ListenAddress>()
        .map_err(|error| DemoError::Listen(error.to_string()))?;
    if address.is_local() && !matches!(address, ListenAddress::Systemd(_)) {
        Ok(address)
    } else {
        Err(DemoError::Listen(
            "the demonstration listens on this machine's own addresses only, such as 127.0.0.1:8080".to_owned(),
        ))
    }
}

fn random_credentials() -> Credentials {
    let mut random = rand::rng();
    let mut text = |length| Alphanumeric.sample_string(&mut random, length);
    Credentials {
        consumer_key: text(KEY_LENGTH),
        consumer_secret: SecretString::from(text(SECRET_LENGTH)),
        token: None,
        token_secret: SecretString::default(),
    }
}

fn proxy_config(
    listen: ListenAddress,
    origin: &Origin,
    credentials: &Credentials,
    acceptor: &Acceptor,
) -> ProxyConfig {
    ProxyConfig {
        name: "demo".into(),
        listen: vec![listen],
        allow_nonlocal_listen: false,
        upstream: origin.clone(),
        allow_plaintext_upstream: false,
        credentials: credentials.clone(),
        consumer_secret_source: None,
        token_secret_source: None,
        signing: SigningOptions::default(),
        private_key_file: None,
        inbound_authorization: InboundAuthorization::default(),
        passthrough_headers: Vec::new(),
        tls: TlsConfig {
            pin_sha256: vec![acceptor.pin()],
            ..TlsConfig::default()
        },
        access: AccessConfig::default(),
        timeouts: Timeouts::default(),
        limits: Limits::default(),
    }
}

fn other(error: impl Into<Box<dyn Error + Send + Sync>>) -> DemoError {
    DemoError::Other(error.into())
}

/// Where standard output is closed, there is nobody left to show anything to.
fn show(text: &str) {
    let _ = std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes());
}
