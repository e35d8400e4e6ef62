//! The daemon's sockets: bound at once, served until told to stop, drained within a deadline.

mod connection;
mod listener;

use std::{io, sync::Arc, time::Duration};

use tokio::{
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::warn;

use self::listener::Listener;
use crate::{
    admin::{self, Admin, Phase},
    config::{Config, ListenAddress, ProxyConfig},
    log::Lost,
    metrics::Metrics,
    proxy::{Proxy, is_allowed_user},
    upstream::TlsFault,
};

/// How long what is under way gets to finish once the daemon is told to stop.
pub const DRAIN: Duration = Duration::from_secs(30);

/// How long an accept loop waits when the system is out of file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections over the limit that are told so; beyond them connections are closed without a word.
const REFUSED_AT_ONCE: usize = 64;

/// Why the daemon can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A certificate, key or root can't be used.
    #[error("proxy.{proxy}.tls.{fault}")]
    Tls {
        /// The proxy's name.
        proxy: Arc<str>,
        /// The setting and what is wrong with it.
        fault: TlsFault,
    },
    /// An address can't be bound.
    #[error("{key}: can't listen on {address}: {source}")]
    Bind {
        /// The key that names the address.
        key: String,
        /// The address.
        address: ListenAddress,
        /// What the system said.
        source: io::Error,
    },
}

/// The daemon with its sockets bound: connections wait, but nothing is accepted yet.
#[derive(Debug)]
pub struct Server {
    bound: Vec<(Arc<Proxy>, Vec<Listener>)>,
    admin: Option<(Listener, ListenAddress)>,
    metrics: Arc<Metrics>,
}

impl StartError {
    /// Whether the configuration has to be changed; otherwise something else is in the way.
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::Tls { .. })
    }
}

/// Prepares each proxy without binding anything, and returns what is not wrong and yet not as it should be.
///
/// # Errors
/// What is wrong.
pub fn check(config: &Config) -> Result<Vec<String>, Vec<StartError>> {
    let proxies = prepare_all(config.proxies.clone())?;
    let notes = proxies.iter().flat_map(|proxy| {
        let name = &proxy.config.name;
        let notes = proxy.upstream().notes().iter();
        notes.map(move |note| format!("proxy.{name}: {note}"))
    });
    Ok(notes.collect())
}

/// Prepares each proxy without binding anything; nobody asks for their metrics.
///
/// # Errors
/// Each proxy that can't be prepared.
pub(crate) fn prepare_all(configs: Vec<ProxyConfig>) -> Result<Vec<Arc<Proxy>>, Vec<StartError>> {
    let metrics = Metrics::new(Lost::default());
    let mut faults = Vec::new();
    let proxies: Vec<_> = configs
        .into_iter()
        .filter_map(|config| keep(&mut faults, prepare(config, &metrics)))
        .collect();
    if faults.is_empty() {
        Ok(proxies)
    } else {
        Err(faults)
    }
}

fn prepare(config: ProxyConfig, metrics: &Metrics) -> Result<Arc<Proxy>, StartError> {
    let name = Arc::clone(&config.name);
    let metrics = metrics.proxy(&name);
    Proxy::new(config, metrics).map_err(|fault| StartError::Tls { proxy: name, fault })
}

impl Server {
    /// Prepares each proxy and binds each address.
    ///
    /// # Errors
    /// Each proxy that can't be prepared, and each address that can't be bound.
    pub fn bind(config: Config, metrics: Metrics) -> Result<Self, Vec<StartError>> {
        let mut faults = Vec::new();
        let mut bound = Vec::new();
        for proxy in config.proxies {
            let key = format!("proxy.{}.listen", proxy.name);
            let listeners: Vec<_> = proxy
                .listen
                .iter()
                .filter_map(|address| {
                    keep(&mut faults, bind(&key, address, &proxy.access.allowed_uids))
                })
                .collect();
            if let Some(proxy) = keep(&mut faults, prepare(proxy, &metrics)) {
                bound.push((proxy, listeners));
            }
        }
        let admin = config.admin.and_then(|address| {
            let listener = keep(&mut faults, bind("admin.listen", &address, &[]))?;
            Some((listener, address))
        });
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            bound,
            admin,
            metrics: Arc::new(metrics),
        })
    }

    /// Each proxy's name, an address that it listens on, and its upstream.
    ///
    /// # Errors
    /// The system does not tell a socket's address.
    pub fn listening(&self) -> io::Result<Vec<(Arc<str>, ListenAddress, String)>> {
        let mut listening = Vec::new();
        for (proxy, listeners) in &self.bound {
            for listener in listeners {
                listening.push((
                    Arc::clone(&proxy.config.name),
                    listener.address()?,
                    proxy.config.upstream.to_string(),
                ));
            }
        }
        Ok(listening)
    }

    /// Serves until `shutdown` is cancelled, then finishes what is under way for up to `drain`.
    ///
    /// Returns whether everything had finished by then.
    pub async fn serve(self, shutdown: CancellationToken, drain: Duration) -> bool {
        let connections = TaskTracker::new();
        let helpers = TaskTracker::new();
        let stop_helpers = CancellationToken::new();
        let (phase, phases) = watch::channel(Phase::Ready);
        if let Some((listener, address)) = self.admin {
            let admin = Admin {
                address,
                phase: phases,
                metrics: self.metrics,
            };
            let stop = stop_helpers.clone();
            helpers.spawn(async move {
                match listener {
                    Listener::Tcp(listener) => admin::serve(listener, admin, stop).await,
                    Listener::Unix(listener, _file) => admin::serve(listener, admin, stop).await,
                }
            });
        }
        for (proxy, listeners) in self.bound {
            let limits = Limits::new(proxy.config.limits.connections);
            for listener in listeners {
                let accepting = accept(
                    Arc::clone(&proxy),
                    listener,
                    limits.clone(),
                    connections.clone(),
                    shutdown.clone(),
                );
                connections.spawn(accepting);
            }
            let stop = stop_helpers.clone();
            helpers.spawn(async move {
                tokio::select! {
                    () = proxy.expire_idle() => {}
                    () = stop.cancelled() => {}
                }
            });
        }
        shutdown.cancelled().await;
        phase.send_replace(Phase::Draining);
        connections.close();
        let finished = timeout(drain, connections.wait()).await.is_ok();
        stop_helpers.cancel();
        helpers.close();
        helpers.wait().await;
        finished
    }
}

/// Keeps what went well, and puts aside what did not.
fn keep<T>(faults: &mut Vec<StartError>, outcome: Result<T, StartError>) -> Option<T> {
    outcome.map_err(|fault| faults.push(fault)).ok()
}

fn bind(key: &str, address: &ListenAddress, uids: &[u32]) -> Result<Listener, StartError> {
    Listener::bind(address, uids).map_err(|source| StartError::Bind {
        key: key.to_owned(),
        address: address.clone(),
        source,
    })
}

/// The connections of one proxy, over all its listeners.
#[derive(Clone, Debug)]
struct Limits {
    served: Arc<Semaphore>,
    refused: Arc<Semaphore>,
}

impl Limits {
    fn new(connections: usize) -> Self {
        Self {
            served: Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS))),
            refused: Arc::new(Semaphore::new(REFUSED_AT_ONCE)),
        }
    }
}

/// Accepts connections until told to stop; closes the socket then, so that no new client comes to wait.
async fn accept(
    proxy: Arc<Proxy>,
    listener: Listener,
    limits: Limits,
    connections: TaskTracker,
    shutdown: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => return,
        };
        let (stream, mut client) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_about_one_connection(&error) => continue,
            Err(error) => {
                let name = &*proxy.config.name;
                warn!(proxy = name, %error, "can't accept connections for now");
                tokio::select! {
                    () = sleep(ACCEPT_PAUSE) => continue,
                    () = shutdown.cancelled() => return,
                }
            }
        };
        // Those who are not let in anyway must not keep others out.
        let is_welcome = is_allowed_user(&proxy.config.access, client.uid);
        let served = Arc::clone(&limits.served);
        let permit = is_welcome
            .then(|| served.try_acquire_owned().ok())
            .flatten();
        client.over_limit = is_welcome && permit.is_none();
        let refused = || Arc::clone(&limits.refused).try_acquire_owned().ok();
        let Some(permit) = permit.or_else(refused) else {
            continue;
        };
        let counted = proxy.metrics.client_connected();
        let serving = connection::serve(Arc::clone(&proxy), stream, client, shutdown.clone());
        connections.spawn(async move {
            serving.await;
            drop((permit, counted));
        });
    }
}

/// Whether an accept failed because of the peer, and the next one may succeed.
fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
