//! The platform that requests are forwarded to: connections to it, kept and made anew.
//!
//! A connection is driven by the exchange that uses it, within the exchange's own task: there is no task behind it that
//! would have to be woken, and an exchange that is dropped takes its connection with it. An idle connection is driven
//! by nobody; whether it is still alive is seen when it is taken out of the pool.

mod alert;
mod certificate;
mod connect;
mod distrust;
mod fault;
mod link;
mod pem;
mod pool;
mod socket;
mod tls;
mod upload;

use std::{sync::Arc, time::Duration};

use self::pool::Pool;
pub use self::{
    alert::Alert,
    certificate::{Certificate, Pin, Presented},
    distrust::{Distrust, Distrusted},
    fault::{ConnectError, Stage, TlsFailure},
    socket::Socket,
    tls::{Acceptor, Session, Tls, TlsStream, check_tls},
};
pub(crate) use self::{
    certificate::moment,
    connect::{Dialer, Stream},
    link::{Answer, Link, SendError, SendFault, SendTimeouts},
    pool::Pool as ConnectionPool,
    upload::{CollectError, Content},
};
use crate::config::{ProxyConfig, TlsFault};

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
    /// Each certificate, key or root that can't be used.
    pub(crate) fn new(config: &ProxyConfig) -> Result<Self, Vec<TlsFault>> {
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
        self.take_into_use(stream).await
    }

    /// A connection that can take requests, over one that has been dialled.
    ///
    /// # Errors
    /// It can't be taken into use.
    pub(crate) async fn take_into_use(&self, stream: Stream) -> Result<Link, ConnectError> {
        let shown = self.dialer.tls().and_then(Tls::client_certificate);
        let link = Link::new(stream, shown.cloned()).await;
        link.map_err(ConnectError::Handshake)
    }

    /// What is allowed, and yet not as it should be.
    pub(crate) fn notes(&self) -> &[String] {
        self.dialer.tls().map_or(&[], Tls::notes)
    }

    /// Where and how to connect.
    pub(crate) fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    /// The pool that a connection goes back to.
    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Closes idle connections once their time is up, until [`close`](Self::close).
    pub(crate) async fn expire_idle(&self) {
        self.pool.expire().await;
    }

    /// Keeps no idle connection any more. What is under way goes on, with new connections if it needs any.
    pub(crate) fn close(&self) {
        self.pool.close();
    }
}
