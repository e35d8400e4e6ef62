//! The platform that requests are forwarded to: connections to it, kept and made anew.
//!
//! A connection is driven by the exchange that uses it, within the exchange's own task: there is no task behind it that
//! would have to be woken, and an exchange that is dropped takes its connection with it. An idle connection is driven
//! by nobody; whether it is still alive is seen when it is taken out of the pool.

mod connect;
mod fault;
mod link;
mod pool;
mod tls;
mod upload;

use std::{sync::Arc, time::Duration};

use self::{connect::Dialer, pool::Pool};
pub use self::{
    fault::{ConnectError, Stage, TlsFailure, TlsFault},
    tls::{Acceptor, Tls, TlsStream},
};
pub(crate) use self::{
    link::{Answer, Link, SendError, SendFault, SendTimeouts},
    pool::Pool as ConnectionPool,
    tls::is_alert,
    upload::{CollectError, Content},
};
use crate::config::ProxyConfig;

/// One upstream and the connections to it. What it trusts is part of it, so that no pool is shared across trusts.
#[derive(Debug)]
pub(crate) struct Upstream {
    dialer: Dialer,
    pool: Arc<Pool>,
}

impl Upstream {
    /// Prepares an upstream; nothing is connected yet.
    ///
    /// # Errors
    /// A certificate, key or root that can't be used.
    pub(crate) fn new(config: &ProxyConfig) -> Result<Self, TlsFault> {
        Ok(Self {
            dialer: Dialer::new(config)?,
            pool: Pool::new(config.timeouts.pool_idle, config.limits.connections),
        })
    }

    /// A connection from the pool that is alive as far as can be seen.
    pub(crate) async fn reuse(&self) -> Option<Link> {
        self.pool.take().await
    }

    /// A new connection, within `timeout` for DNS, TCP and TLS together.
    ///
    /// # Errors
    /// The stage that failed and how.
    pub(crate) async fn connect(&self, timeout: Duration) -> Result<Link, ConnectError> {
        let stream = self.dialer.dial(timeout).await?;
        Link::new(stream).await.map_err(ConnectError::Handshake)
    }

    /// The pool that a connection goes back to.
    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Closes idle connections once their time is up, for as long as the future is polled.
    pub(crate) async fn expire_idle(&self) {
        self.pool.expire().await;
    }
}
