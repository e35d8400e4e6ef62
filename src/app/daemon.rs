//! `undersign run`: the daemon from its start to its end.

use std::{sync::Arc, thread};

use tokio::sync::Notify;
use tracing::{error, info, warn};

use super::{
    CHECKS, Exit, complain,
    process::{Signals, in_runtimes, raise_descriptor_limit},
    refuse,
    reload::{Fixed, Reloader, SERVING, Source, exposed, warn_of_exposure},
    watch::{Sightings, Watch},
};
use crate::{
    config::{Flags, Layers, ProxyConfig},
    env::Environment,
    log::{self, Destination, Log},
    metrics::Metrics,
    server::{DRAIN, End, Server, StartError},
    stamp::seconds_since_epoch,
    systemd::Notifier,
};

/// Runs the daemon until a signal ends it.
pub(super) fn run(flags: Flags, environment: Environment) -> Exit {
    let loaded = Layers::read(&flags, &environment).and_then(|layers| {
        let seen = Sightings::of(layers.files(&environment));
        let config = layers.resolve(&environment, CHECKS)?;
        Ok((layers, seen, config))
    });
    let (layers, seen, config) = match loaded {
        Ok(loaded) => loaded,
        Err(faults) => return refuse(&faults),
    };
    let notify_socket = environment.get("NOTIFY_SOCKET").ok().flatten();
    let notify_socket = notify_socket.map(str::to_owned);
    let source = Arc::new(Source { flags, environment });
    let destination = Destination::from(config.log.file.clone());
    let format = config.log.format;
    let format = format.unwrap_or_else(|| log::default_format(&destination));
    let logs_elsewhere = destination != Destination::Stderr;
    let log = match log::start(format, destination) {
        Ok(log) => log,
        Err(error) => {
            // The path is not shown: it may be a secret, given by mistake.
            complain(format_args!("log.file: can't write to this file: {error}"));
            return Exit::Configuration;
        }
    };
    info!(version = env!("CARGO_PKG_VERSION"), "starting");
    let processors = thread::available_parallelism().map_or(1, usize::from);
    raise_descriptor_limit(most_connections(&config.proxies), processors);
    let notifier = Arc::new(Notifier::new(notify_socket.as_deref()));
    in_runtimes(processors, async |others| {
        // Before anything listens: whoever reads the ready line may send a signal at once.
        let mut signals = Signals::new()?;
        warn_of_exposure(&exposed(&config.proxies));
        let fixed = Fixed {
            log: config.log.clone(),
            admin: config.admin.clone(),
        };
        let metrics = Arc::new(Metrics::new(log.lost()));
        let server = match Server::bind(config, Arc::clone(&metrics)) {
            Ok(server) => server,
            Err(faults) => {
                let exit = if faults.iter().any(StartError::is_configuration) {
                    Exit::Configuration
                } else {
                    Exit::Unavailable
                };
                for fault in faults {
                    error!(%fault, "can't start");
                    // Whoever has started the daemon looks here, wherever the log goes.
                    if logs_elsewhere {
                        complain(fault);
                    }
                }
                return Ok(exit);
            }
        };
        metrics.configured(seconds_since_epoch());
        for (proxy, address, upstream) in server.listening() {
            log::listening(format, &proxy, address, upstream);
        }
        if let Some(address) = server.admin_address() {
            info!(%address, "the admin listener is ready");
        }
        let end = End::default();
        let reloader = Reloader {
            source,
            layers,
            fixed,
            watch: Watch::new(seen),
            server: server.handle(),
            metrics,
            notifier: Arc::clone(&notifier),
            format,
            refused: Vec::new(),
        };
        let asked = Arc::new(Notify::new());
        let reloading = reloader.run(Arc::clone(&asked));
        tokio::spawn(end.drain.clone().run_until_cancelled_owned(reloading));
        let server = server.with_runtimes(others);
        let mut serving = tokio::spawn(server.serve(end.clone(), DRAIN));
        notifier.ready(SERVING);
        loop {
            tokio::select! {
                served = &mut serving => {
                    return Ok(match served {
                        Ok(finished) => stopped(finished),
                        Err(_) => Exit::Other,
                    });
                }
                () = signals.stop.recv() => {
                    if end.drain.is_cancelled() {
                        warn!("stopping at once, with exchanges under way");
                        end.cut.cancel();
                        let _ = serving.await;
                        return Ok(Exit::Other);
                    }
                    info!("stopping: finishing what is under way");
                    end.drain.cancel();
                    notifier.stopping("finishing what is under way");
                }
                _ = signals.hang_up.recv() => {
                    reopen(&log, logs_elsewhere);
                    asked.notify_one();
                }
            }
        }
    })
}

/// As many client connections as all proxies together may have.
fn most_connections(proxies: &[ProxyConfig]) -> usize {
    let limits = proxies.iter().map(|proxy| proxy.limits.connections);
    limits.fold(0, usize::saturating_add)
}

fn stopped(finished: bool) -> Exit {
    if finished {
        info!("stopped");
    } else {
        let seconds = DRAIN.as_secs();
        warn!("stopped with exchanges under way after {seconds} s");
    }
    Exit::Clean
}

fn reopen(log: &Log, logs_elsewhere: bool) {
    match log.reopen() {
        Ok(()) => info!("reopened the log"),
        Err(error) => {
            let fault = "log.file: can't reopen the log; the old one stays in use";
            error!(%error, "{fault}");
            // The old one may have been moved to where nobody looks.
            if logs_elsewhere {
                complain(format_args!("{fault}: {error}"));
            }
        }
    }
}
