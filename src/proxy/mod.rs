//! One proxy: from a request that has arrived to the answer that leaves.
//!
//! The path of an exchange stands in [`exchange`] and reads from top to bottom; the steps it names have a file each.

mod admit;
mod exchange;
mod operation;
mod prepare;
mod probe;
mod problem;
mod record;
mod refusal;
mod relay;
mod turns;

use std::sync::Arc;

use tracing::warn;

use crate::{
    config::{ProxyConfig, TlsFault},
    metrics::ProxyMetrics,
    oauth::{BaseUri, Method, Signer},
    upstream::Upstream,
};

pub(crate) use self::{
    admit::is_allowed_user,
    exchange::{Client, exchange},
    probe::{Probed, probe},
    problem::NOTABLE_SKEW_S,
    refusal::{Refusal, internal_error},
    relay::ReplyBody,
};

use self::{refusal::ErrorType, turns::Turns};

/// One proxy, ready to serve. It never changes: a reload makes another, and an exchange stays with the one it began with.
#[derive(Debug)]
pub(crate) struct Proxy {
    /// Without the secrets, which only the signer has.
    pub(crate) config: ProxyConfig,
    pub(crate) metrics: ProxyMetrics,
    /// The value of the `Host` field that the upstream gets.
    host: String,
    signer: Signer,
    /// Whether each signature takes long, whatever is signed.
    signs_slowly: bool,
    turns: Turns,
    upstream: Upstream,
}

impl Proxy {
    /// Prepares a proxy; nothing is bound or connected yet.
    ///
    /// # Errors
    /// Each TLS setting that can't be used.
    pub(crate) fn new(
        mut config: ProxyConfig,
        metrics: ProxyMetrics,
    ) -> Result<Arc<Self>, Vec<TlsFault>> {
        let origin = &config.upstream;
        let base = BaseUri::new(origin.https, &origin.host, origin.port);
        let upstream = Upstream::new(&config)?;
        for note in upstream.notes() {
            warn!(proxy = &*config.name, "{note}");
        }
        let signer = Signer::new(&config.credentials, &config.signing, base);
        config.credentials = config.credentials.without_secrets();
        Ok(Arc::new(Self {
            host: config.upstream.authority(),
            signer,
            signs_slowly: matches!(config.signing.method, Method::Rsa(_)),
            turns: Turns::new(),
            upstream,
            config,
            metrics,
        }))
    }

    /// The platform that requests are forwarded to.
    pub(crate) fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// Closes idle upstream connections once their time is up, until the proxy is retired.
    pub(crate) async fn expire_idle(&self) {
        self.upstream.expire_idle().await;
    }

    /// Another has taken its place: exchanges under way finish, and their upstream connections end with them.
    pub(crate) fn retire(&self) {
        self.upstream.close();
    }
}
