//! The daemon's sockets: bound at once, served until told to stop, drained within a deadline. A [`Handle`] changes what is
//! served meanwhile.

mod accept;
mod bound;
mod connection;
mod end;
mod lanes;
mod listener;
mod room;
mod serving;

use std::{io, sync::Arc, time::Duration};

use tokio::{
    runtime,
    sync::{mpsc, oneshot, watch},
};

pub use self::end::End;
use self::{bound::Bound, lanes::Lanes, listener::Listener, serving::Serving};
use crate::{
    admin::{self, Admin, Phase},
    config::{Config, ListenAddress, ProxyConfig, TlsFault},
    log::Lost,
    metrics::Metrics,
    proxy::Proxy,
};

/// How long what is under way gets to finish once the daemon, or one of its listeners, is told to stop.
pub const DRAIN: Duration = Duration::from_secs(30);

/// A proxy's name, an address that it listens on, and its upstream.
pub type Listening = (Arc<str>, ListenAddress, String);

/// Why a configuration can't be served.
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
    /// The socket at an address would have to let other users through than it did when it was bound.
    #[error(
        "proxy.{proxy}.access.allowed_uids: whether other users may connect to {address} can't change while it serves: restart, or give `listen` another path"
    )]
    Users {
        /// The proxy's name.
        proxy: Arc<str>,
        /// The address.
        address: ListenAddress,
    },
}

impl StartError {
    /// Whether the configuration has to be changed; otherwise something else is in the way.
    pub fn is_configuration(&self) -> bool {
        !matches!(self, Self::Bind { .. })
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
    Ok(notes.chain(unseen_sockets(config)).collect())
}

/// Says of each address that it could not be checked, where systemd has bound it.
fn unseen_sockets(config: &Config) -> impl Iterator<Item = String> {
    let admin = config.admin.iter();
    let admin = admin.map(|address| ("admin.listen".to_owned(), address));
    let proxies = config.proxies.iter().flat_map(|proxy| {
        let key = format!("proxy.{}.listen", proxy.name);
        proxy
            .listen
            .iter()
            .map(move |address| (key.clone(), address))
    });
    let unseen = admin
        .chain(proxies)
        .filter(|(_, address)| matches!(address.bound(), ListenAddress::Systemd(_)));
    unseen.map(|(key, _)| {
        format!("{key}: systemd passes sockets to the daemon alone: this one is looked at when it starts")
    })
}

/// Prepares each proxy without binding anything; nobody asks for their metrics.
///
/// # Errors
/// Each proxy that can't be prepared.
pub(crate) fn prepare_all(configs: Vec<ProxyConfig>) -> Result<Vec<Arc<Proxy>>, Vec<StartError>> {
    let metrics = Metrics::new(Lost::default());
    Proxies::prepare(configs, &metrics).map(|proxies| proxies.0)
}

/// The proxies of a configuration, ready to serve; nothing is bound or connected yet.
#[derive(Debug)]
pub struct Proxies(Vec<Arc<Proxy>>);

impl Proxies {
    /// Prepares each proxy, which reads its certificates.
    ///
    /// # Errors
    /// Each proxy that can't be prepared.
    pub fn prepare(configs: Vec<ProxyConfig>, metrics: &Metrics) -> Result<Self, Vec<StartError>> {
        let mut faults = Vec::new();
        let mut proxies = Vec::new();
        for config in configs {
            let name = Arc::clone(&config.name);
            match Proxy::new(config, metrics.proxy(&name)) {
                Ok(proxy) => proxies.push(proxy),
                Err(found) => faults.extend(found.into_iter().map(|fault| StartError::Tls {
                    proxy: Arc::clone(&name),
                    fault,
                })),
            }
        }
        if faults.is_empty() {
            Ok(Self(proxies))
        } else {
            Err(faults)
        }
    }
}

/// The daemon with its sockets bound: connections wait, but nothing is accepted yet.
#[derive(Debug)]
pub struct Server {
    proxies: Vec<Arc<Proxy>>,
    /// In the order of the proxies.
    bound: Vec<Vec<Bound>>,
    admin: Option<(Listener, ListenAddress)>,
    metrics: Arc<Metrics>,
    handle: Handle,
    changes: mpsc::Receiver<Change>,
    runtimes: Vec<runtime::Handle>,
}

/// Changes a server while it serves.
#[derive(Clone, Debug)]
pub struct Handle(mpsc::Sender<Change>);

/// Proxies to go over to, and whom to tell what has been bound for them, or why nothing has changed.
#[derive(Debug)]
struct Change {
    proxies: Proxies,
    done: oneshot::Sender<Result<Vec<Listening>, Vec<StartError>>>,
}

impl Handle {
    /// Has the server go over to other proxies, at once and as a whole, or stay as it is.
    ///
    /// Addresses that stay keep their sockets. An exchange ends with the proxy that it began with; what it has of
    /// connections to the upstream ends with it. Returns what has been bound, or `None` if the server no longer serves.
    ///
    /// # Errors
    /// Each address that can't be bound.
    pub async fn go_over_to(
        &self,
        proxies: Proxies,
    ) -> Result<Option<Vec<Listening>>, Vec<StartError>> {
        let (done, outcome) = oneshot::channel();
        if self.0.send(Change { proxies, done }).await.is_err() {
            return Ok(None);
        }
        outcome.await.ok().transpose()
    }
}

impl Server {
    /// Prepares each proxy and binds each address.
    ///
    /// # Errors
    /// Each proxy that can't be prepared, and each address that can't be bound.
    pub fn bind(config: Config, metrics: Arc<Metrics>) -> Result<Self, Vec<StartError>> {
        let mut faults = Vec::new();
        let mut bound = Vec::new();
        for proxy in &config.proxies {
            let addresses = proxy.listen.iter();
            let bind = |address| keep(&mut faults, Bound::for_proxy(proxy, address));
            bound.push(addresses.filter_map(bind).collect());
        }
        let admin = config.admin.and_then(|address| {
            let bound = keep(&mut faults, Bound::new("admin.listen", &address, &[]))?;
            Some((bound.listener, bound.actual))
        });
        let proxies = Proxies::prepare(config.proxies, &metrics).unwrap_or_else(|others| {
            faults.extend(others);
            Proxies(Vec::new())
        });
        if !faults.is_empty() {
            return Err(faults);
        }
        let (sender, changes) = mpsc::channel(1);
        Ok(Self {
            proxies: proxies.0,
            bound,
            admin,
            metrics,
            handle: Handle(sender),
            changes,
            runtimes: Vec::new(),
        })
    }

    /// Has these runtimes serve connections too, and not only the one that it is bound in. Each should have one thread: a
    /// connection stays where it is.
    #[must_use]
    pub fn with_runtimes(mut self, others: Vec<runtime::Handle>) -> Self {
        self.runtimes = others;
        self
    }

    /// What it listens on.
    pub fn listening(&self) -> Vec<Listening> {
        let proxies = self.proxies.iter().zip(&self.bound);
        proxies
            .flat_map(|(proxy, bound)| bound.iter().map(|bound| bound.listening(proxy)))
            .collect()
    }

    /// Where the admin listener is, if there is one.
    pub fn admin_address(&self) -> Option<&ListenAddress> {
        self.admin.as_ref().map(|(_, address)| address)
    }

    /// What changes the server once it serves.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Serves until it has to `end`, then finishes what is under way for up to `drain`.
    ///
    /// Returns whether everything had finished before it was cut off.
    pub async fn serve(mut self, end: End, drain: Duration) -> bool {
        let lanes = Lanes::new(self.runtimes);
        let mut serving = Serving::new(lanes, end.clone(), drain);
        let (phase, phases) = watch::channel(Phase::Ready);
        if let Some((listener, address)) = self.admin {
            let admin = Admin {
                address,
                phase: phases,
                metrics: self.metrics,
            };
            let stop = serving.stop_helpers.clone();
            serving.helpers.spawn(async move {
                match listener {
                    Listener::Tcp(listener) => admin::serve(listener, admin, stop).await,
                    Listener::Unix(listener, _file) => admin::serve(listener, admin, stop).await,
                }
            });
        }
        for (proxy, bound) in self.proxies.iter().zip(self.bound) {
            for bound in bound {
                serving.open(proxy, bound);
            }
        }
        serving.employ(self.proxies);
        loop {
            // There is always a next change to wait for: `self` has a handle.
            tokio::select! {
                Some(Change { proxies, done }) = self.changes.recv() => {
                    // Whoever has asked may be gone.
                    let _ = done.send(serving.reload(proxies.0).await);
                }
                () = end.drain.cancelled() => break,
            }
        }
        phase.send_replace(Phase::Draining);
        serving.finish().await
    }
}

/// Keeps what went well, and puts aside what did not.
fn keep<T>(faults: &mut Vec<StartError>, outcome: Result<T, StartError>) -> Option<T> {
    outcome.map_err(|fault| faults.push(fault)).ok()
}
