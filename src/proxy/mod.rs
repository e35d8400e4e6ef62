//! One proxy: from a request that has arrived to the answer that leaves.
//!
//! The path of an exchange stands in [`exchange`] and reads from top to bottom; the steps it names have a file each.

mod admit;
mod exchange;
mod operation;
mod prepare;
mod probe;
mod record;
mod refusal;
mod relay;
mod turns;

use std::sync::Arc;

use tracing::warn;

use crate::{
    config::ProxyConfig,
    metrics::ProxyMetrics,
    oauth::{BaseUri, Method, Signer},
    upstream::{TlsFault, Upstream},
};

pub(crate) use self::{
    admit::is_allowed_user,
    exchange::{Client, exchange},
    probe::{Probed, probe},
    refusal::{Refusal, internal_error},
    relay::ReplyBody,
};

use self::{refusal::ErrorType, turns::Turns};

/// One proxy, ready to serve.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) config: ProxyConfig,
    pub(crate) metrics: ProxyMetrics,
    /// The value of the `Host` field that the upstream gets.
    host: String,
    signer: Signer,
    /// Where signing takes so long that other exchanges must not wait for it.
    turns: Option<Turns>,
    upstream: Upstream,
}

impl Proxy {
    /// Prepares a proxy; nothing is bound or connected yet.
    ///
    /// # Errors
    /// A TLS setting that can't be used.
    pub(crate) fn new(config: ProxyConfig, metrics: ProxyMetrics) -> Result<Arc<Self>, TlsFault> {
        let origin = &config.upstream;
        let base = BaseUri::new(origin.https, &origin.host, origin.port);
        let upstream = Upstream::new(&config)?;
        for note in upstream.notes() {
            warn!(proxy = &*config.name, "{note}");
        }
        Ok(Arc::new(Self {
            host: origin.authority(),
            signer: Signer::new(&config.credentials, &config.signing, base),
            turns: matches!(config.signing.method, Method::Rsa(_)).then(Turns::new),
            upstream,
            config,
            metrics,
        }))
    }

    /// The platform that requests are forwarded to.
    pub(crate) fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// Closes idle upstream connections once their time is up, for as long as the future is polled.
    pub(crate) async fn expire_idle(&self) {
        self.upstream.expire_idle().await;
    }
}
