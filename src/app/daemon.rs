//! `undersign run`: the daemon from its start to its end.

use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{
    Exit, complain,
    process::{Signals, in_runtime, raise_descriptor_limit},
};
use crate::{
    config::{Config, ListenAddress},
    log::{self, Destination, Log},
    metrics::Metrics,
    server::{DRAIN, Server, StartError},
};

/// Runs the daemon until a signal ends it.
pub(super) fn run(config: Config) -> Exit {
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
    raise_descriptor_limit();
    in_runtime(async {
        // Before anything listens: whoever reads the ready line may send a signal at once.
        let mut signals = Signals::new()?;
        warn_of_exposure(&config);
        let server = match Server::bind(config, Metrics::new(log.lost())) {
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
        for (proxy, address, upstream) in server.listening()? {
            log::listening(format, &proxy, address, upstream);
        }
        let shutdown = CancellationToken::new();
        let mut serving = tokio::spawn(server.serve(shutdown.clone(), DRAIN));
        loop {
            tokio::select! {
                served = &mut serving => {
                    return Ok(match served {
                        Ok(finished) => stopped(finished),
                        Err(_) => Exit::Other,
                    });
                }
                () = signals.stop.recv() => {
                    if shutdown.is_cancelled() {
                        warn!("stopping at once, with exchanges under way");
                        return Ok(Exit::Other);
                    }
                    info!("stopping: finishing what is under way");
                    shutdown.cancel();
                }
                _ = signals.hang_up.recv() => reopen(&log),
            }
        }
    })
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

fn reopen(log: &Log) {
    match log.reopen() {
        Ok(()) => info!("reopened the log"),
        Err(error) => error!(%error, "log.file: can't reopen the log; the old one stays in use"),
    }
}

/// Says aloud what only looks harmless.
fn warn_of_exposure(config: &Config) {
    for proxy in &config.proxies {
        let exposed = |address: &&ListenAddress| !address.is_local();
        if proxy.access.client_token.is_none()
            && let Some(address) = proxy.listen.iter().find(exposed)
        {
            warn!(
                proxy = &*proxy.name,
                %address,
                "anybody who reaches this address can use the credentials: set access.client_token_file"
            );
        }
    }
}
