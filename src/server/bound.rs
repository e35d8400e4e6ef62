//! An address of the configuration, bound.

use std::{io, sync::Arc};

use super::{Listening, StartError, listener::Listener};
use crate::{
    config::{ListenAddress, ProxyConfig},
    proxy::Proxy,
};

/// A socket on which connections wait, but are not accepted yet.
#[derive(Debug)]
pub(super) struct Bound {
    /// The address as it is configured, where the port may be 0.
    pub(super) configured: ListenAddress,
    /// The address with the port that it got.
    pub(super) actual: ListenAddress,
    pub(super) listener: Listener,
}

impl Bound {
    /// Binds an address for the users with `uids`; `key` names it in the fault.
    pub(super) fn new(
        key: &str,
        configured: &ListenAddress,
        uids: &[u32],
    ) -> Result<Self, StartError> {
        let fault = |source| bind_fault(key, configured, source);
        let listener = Listener::bind(configured, uids).map_err(fault)?;
        Ok(Self {
            configured: configured.clone(),
            actual: listener.address().map_err(fault)?,
            listener,
        })
    }

    /// Binds an address of a proxy.
    pub(super) fn for_proxy(
        proxy: &ProxyConfig,
        address: &ListenAddress,
    ) -> Result<Self, StartError> {
        Self::new(&listen_key(proxy), address, &proxy.access.allowed_uids)
    }

    /// What the ready line says.
    pub(super) fn listening(&self, proxy: &Proxy) -> Listening {
        (
            Arc::clone(&proxy.config.name),
            self.actual.clone(),
            proxy.config.upstream.to_string(),
        )
    }
}

/// The key that a proxy's addresses stand under.
pub(super) fn listen_key(proxy: &ProxyConfig) -> String {
    format!("proxy.{}.listen", proxy.name)
}

pub(super) fn bind_fault(key: &str, address: &ListenAddress, source: io::Error) -> StartError {
    StartError::Bind {
        key: key.to_owned(),
        address: address.clone(),
        source,
    }
}
