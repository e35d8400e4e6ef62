//! Reloading: on a hangup all of it, and when a file of a secret, key or certificate has changed, those.
//!
//! Whatever is new is read and checked as a whole, apart from what serves, which then goes over to it at once, or stays.

use std::{fmt, sync::Arc};

use tokio::{sync::Notify, task::spawn_blocking};
use tracing::{error, info, warn};

use super::{
    CHECKS,
    watch::{Sightings, Watch},
};
use crate::{
    config::{Config, Flags, Layers, ListenAddress, LogConfig, LogFormat, ProxyConfig},
    env::Environment,
    log,
    metrics::Metrics,
    server::{Handle, Proxies},
    stamp::seconds_since_epoch,
    systemd::Notifier,
};

/// What systemd shows of a daemon that serves what it was last told to.
pub(super) const SERVING: &str = "serving";

/// What it shows after a reload that was refused.
const SERVING_FORMER: &str =
    "serving what was loaded before: the last reload was refused, see the log";

/// How often files are read that change while they are read.
const MAX_READINGS: u32 = 5;

/// What the configuration is made from.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) flags: Flags,
    pub(super) environment: Environment,
}

/// What takes effect at the start only.
#[derive(Debug)]
pub(super) struct Fixed {
    pub(super) log: LogConfig,
    pub(super) admin: Option<ListenAddress>,
}

/// Reloads what a server serves.
#[derive(Debug)]
pub(super) struct Reloader {
    pub(super) source: Arc<Source>,
    /// Those in use; a change of a file does not bring others with it.
    pub(super) layers: Layers,
    pub(super) fixed: Fixed,
    pub(super) watch: Watch,
    pub(super) server: Handle,
    pub(super) metrics: Arc<Metrics>,
    pub(super) notifier: Arc<Notifier>,
    /// The format of ready lines.
    pub(super) format: LogFormat,
    /// What the last reload was refused for, if it was.
    pub(super) refused: Vec<String>,
}

/// Why to reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    HangUp,
    Files,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HangUp => "SIGHUP",
            Self::Files => "a file has changed",
        })
    }
}

impl Reloader {
    /// Reloads whenever asked to, and whenever a file has changed.
    pub(super) async fn run(mut self, asked: Arc<Notify>) {
        loop {
            let cause = tokio::select! {
                () = asked.notified() => Cause::HangUp,
                () = self.watch.changed() => Cause::Files,
            };
            self.reload(cause).await;
        }
    }

    /// One reload, from its beginning to its end, whatever that is.
    async fn reload(&mut self, cause: Cause) {
        // Whoever has asked waits for the end of it.
        if cause == Cause::HangUp {
            self.notifier.reloading();
        }
        match self.try_reload(cause).await {
            Ok(()) => {
                self.refused.clear();
                self.metrics.reloaded(seconds_since_epoch());
                info!(%cause, "reloaded");
            }
            Err(faults) => {
                self.metrics.reload_refused();
                // What is tried again by itself is not told again.
                if cause == Cause::HangUp || faults != self.refused {
                    for fault in &faults {
                        error!(%cause, %fault, "can't reload: what was loaded before serves on");
                    }
                }
                self.refused = faults;
            }
        }
        self.notifier.ready(if self.refused.is_empty() {
            SERVING
        } else {
            SERVING_FORMER
        });
    }

    async fn try_reload(&mut self, cause: Cause) -> Result<(), Vec<String>> {
        let source = Arc::clone(&self.source);
        let layers = (cause == Cause::Files).then(|| self.layers.clone());
        let metrics = Arc::clone(&self.metrics);
        let reading = spawn_blocking(move || read(&source, layers, &metrics));
        let read = reading.await.map_err(|error| vec![error.to_string()])?;
        let Read {
            layers,
            seen,
            outcome,
        } = read?;
        let switched = match outcome {
            Ok((fixed, exposed, proxies)) => {
                let switched = self.server.go_over_to(proxies).await;
                switched.map(|bound| (fixed, exposed, bound)).map_err(texts)
            }
            Err(faults) => Err(faults),
        };
        match switched {
            Ok((fixed, exposed, bound)) => {
                self.layers = layers;
                self.watch = Watch::new(seen);
                if cause == Cause::HangUp {
                    warn_of_exposure(&exposed);
                    self.warn_of_fixed(&fixed);
                }
                for (proxy, address, upstream) in bound.into_iter().flatten() {
                    log::listening(self.format, &proxy, address, upstream);
                }
                Ok(())
            }
            Err(faults) => {
                if cause == Cause::Files {
                    self.watch.refused(seen);
                }
                Err(faults)
            }
        }
    }

    /// Names what a new configuration would have otherwise, but which stays as it is.
    fn warn_of_fixed(&self, new: &Fixed) {
        let Fixed { log, admin } = &self.fixed;
        for (key, is_other) in [
            ("log.format", log.format != new.log.format),
            ("log.file", log.file != new.log.file),
            ("admin.listen", *admin != new.admin),
        ] {
            if is_other {
                warn!(key, "takes effect at the next start only");
            }
        }
    }
}

/// An address that other machines reach, with the proxy whose credentials anybody there can use.
pub(super) type Exposed = (Arc<str>, ListenAddress);

/// What was read, and how the files were when it was.
struct Read {
    layers: Layers,
    seen: Sightings,
    outcome: Result<(Fixed, Vec<Exposed>, Proxies), Vec<String>>,
}

/// Reads everything, or with `layers` what they name; for as long as it takes.
fn read(source: &Source, layers: Option<Layers>, metrics: &Metrics) -> Result<Read, Vec<String>> {
    let Source { flags, environment } = source;
    let layers = match layers {
        Some(layers) => layers,
        None => Layers::read(flags, environment).map_err(|faults| texts(&faults))?,
    };
    let mut readings = 0;
    loop {
        readings += 1;
        let seen = Sightings::of(layers.files(environment));
        let resolved = layers.resolve(environment, CHECKS);
        let resolved = resolved.map_err(|faults| texts(&faults));
        let outcome = resolved.and_then(|config| {
            let exposed = exposed(&config.proxies);
            let Config {
                log,
                admin,
                proxies,
            } = config;
            let proxies = Proxies::prepare(proxies, metrics).map_err(texts)?;
            Ok((Fixed { log, admin }, exposed, proxies))
        });
        // Otherwise one secret may be of before a change, and another of after it.
        if seen == seen.again() {
            return Ok(Read {
                layers,
                seen,
                outcome,
            });
        }
        if readings == MAX_READINGS {
            let fault = "the files of secrets and certificates change while they are read";
            return Ok(Read {
                layers,
                seen,
                outcome: Err(vec![fault.to_owned()]),
            });
        }
    }
}

fn texts<F: fmt::Display>(faults: impl IntoIterator<Item = F>) -> Vec<String> {
    faults.into_iter().map(|fault| fault.to_string()).collect()
}

/// What only looks harmless.
pub(super) fn exposed(proxies: &[ProxyConfig]) -> Vec<Exposed> {
    let open = proxies
        .iter()
        .filter(|proxy| proxy.access.client_token.is_none());
    open.filter_map(|proxy| {
        let address = proxy.listen.iter().find(|address| !address.is_local())?;
        Some((Arc::clone(&proxy.name), address.clone()))
    })
    .collect()
}

/// Says it aloud.
pub(super) fn warn_of_exposure(exposed: &[Exposed]) {
    for (proxy, address) in exposed {
        warn!(
            proxy = &**proxy,
            %address,
            "anybody who reaches this address can use the credentials: set access.client_token_file"
        );
    }
}
