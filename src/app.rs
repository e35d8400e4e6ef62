//! What each subcommand does, and what the program's exit code says of it.

use std::{
    ffi::OsString, fmt::Display, future::Future, io, io::Write as _, process::ExitCode,
    time::Duration,
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::{
    admin,
    cli::{self, Command},
    config::{self, Config, Flags, ListenAddress},
    demo,
    env::Environment,
    inspect::{self, Report},
    log::{self, Destination, Log},
    metrics::Metrics,
    proxy::{fresh_nonce, seconds_since_epoch},
    server::{self, DRAIN, Server, StartError},
};

/// How the program ends, with the codes of sysexits.h where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Exit {
    Clean = 0,
    Other = 1,
    Usage = 64,
    Unavailable = 69,
    Configuration = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// How long the tasks that are left at the end may take to be dropped.
const RUNTIME_END: Duration = Duration::from_millis(500);

/// Runs the program with the words of its command line, of which the first is its name.
pub fn main(words: impl Iterator<Item = OsString>) -> ExitCode {
    let command = match cli::parse(words) {
        Ok(command) => command,
        Err(exit) => {
            if exit.to_stdout {
                print(exit.text);
            } else {
                complain(exit.text);
            }
            return ExitCode::from(exit.code);
        }
    };
    let environment = Environment::capture();
    forbid_dumps();
    let exit = match command {
        Command::Run(flags) => with_config(&flags, &environment, run),
        Command::Check(flags) => with_config(&flags, &environment, |config| check(&config)),
        Command::Sign(words) => {
            let (now, nonce) = (seconds_since_epoch(), fresh_nonce());
            report(inspect::sign(&words, &environment, now, nonce.as_str()))
        }
        Command::Verify(words) => {
            report(inspect::verify(&words, &environment, seconds_since_epoch()))
        }
        Command::Demo { listen } => demo(listen.as_deref(), &environment),
        Command::Healthcheck { admin_listen } => healthcheck(admin_listen, &environment),
        Command::Completions(text) | Command::Man(text) => {
            print(text);
            Exit::Clean
        }
    };
    exit.into()
}

fn with_config(
    flags: &Flags,
    environment: &Environment,
    then: impl FnOnce(Config) -> Exit,
) -> Exit {
    match config::load(flags, environment) {
        Ok(config) => then(config),
        Err(faults) => refuse(&faults),
    }
}

fn check(config: &Config) -> Exit {
    let faults = server::check(config);
    if faults.is_empty() {
        print(config::describe(config));
        return Exit::Clean;
    }
    refuse(&faults)
}

/// Prints what was found out about one request.
fn report(outcome: Result<Report, inspect::Error>) -> Exit {
    match outcome {
        Ok(report) => {
            report.notes.iter().for_each(complain);
            print(report.text);
            if report.is_right {
                Exit::Clean
            } else {
                Exit::Other
            }
        }
        Err(inspect::Error::Configuration(faults)) => refuse(&faults),
        Err(error) => {
            complain(&error);
            match error {
                inspect::Error::Usage(_) => Exit::Usage,
                _ => Exit::Other,
            }
        }
    }
}

fn run(config: Config) -> Exit {
    let destination = Destination::from(config.log.file.clone());
    let format = config.log.format;
    let format = format.unwrap_or_else(|| log::default_format(&destination));
    let logs_elsewhere = destination != Destination::Stderr;
    let log = match log::start(format, destination) {
        Ok(log) => log,
        Err(error) => {
            let file = config.log.file.unwrap_or_default();
            let file = file.display();
            complain(format_args!("log.file: can't write to {file}: {error}"));
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
                () = stop(&mut signals.terminate, &mut signals.interrupt) => {
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

fn demo(listen: Option<&str>, environment: &Environment) -> Exit {
    in_runtime(async {
        let mut signals = Signals::new()?;
        let demo = match demo::Demo::start(listen, environment).await {
            Ok(demo) => demo,
            Err(error @ demo::DemoError::Listen(_)) => {
                complain(error);
                return Ok(Exit::Configuration);
            }
            Err(demo::DemoError::Start(error)) => {
                complain(format_args!(
                    "{error}\nTo use another port: undersign demo --listen 127.0.0.1:0"
                ));
                return Ok(Exit::Unavailable);
            }
            Err(demo::DemoError::Other(error)) => {
                complain(error);
                return Ok(Exit::Other);
            }
        };
        print(demo.introduction());
        let shutdown = CancellationToken::new();
        let mut running = tokio::spawn(demo.run(shutdown.clone()));
        tokio::select! {
            _ = &mut running => return Ok(Exit::Other),
            () = signals.stop() => shutdown.cancel(),
        }
        tokio::select! {
            _ = &mut running => Ok(Exit::Clean),
            () = signals.stop() => Ok(Exit::Other),
        }
    })
}

fn healthcheck(admin_listen: Option<String>, environment: &Environment) -> Exit {
    let variable = environment.get("UNDERSIGN_ADMIN_LISTEN");
    let text = admin_listen.or_else(|| variable.ok().flatten().map(str::to_owned));
    let address = match text.map(|text| text.parse::<ListenAddress>()) {
        Some(Ok(address)) => address,
        Some(Err(error)) => return refuse([format_args!("admin.listen: {error}")]),
        None => {
            return refuse([
                "admin.listen: there is no admin listener to ask: set --admin-listen or UNDERSIGN_ADMIN_LISTEN",
            ]);
        }
    };
    in_runtime(async {
        Ok(match admin::probe(&address).await {
            Ok(()) => Exit::Clean,
            Err(error) => {
                complain(error);
                Exit::Other
            }
        })
    })
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

/// A core dump, or a debugger of the same user, would see the secrets. Where the system does not let us forbid that,
/// there is nothing better to do than to go on.
fn forbid_dumps() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Raises the limit of open files: each exchange takes two, and the soft limit is often 1024 only for the sake of
/// programs that use select(2).
fn raise_descriptor_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let limit = Rlimit {
        current: maximum,
        maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        warn!(%error, "can't raise the limit of open files");
    }
}

/// The signals that the daemon knows.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn stop(&mut self) {
        stop(&mut self.terminate, &mut self.interrupt).await;
    }
}

async fn stop(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

fn in_runtime(work: impl Future<Output = io::Result<Exit>>) -> Exit {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let outcome = runtime.and_then(|runtime| {
        let outcome = runtime.block_on(work);
        // Exchanges that are cut off have to leave their records; a name that is still being looked up must not hold
        // the exit up for long.
        runtime.shutdown_timeout(RUNTIME_END);
        outcome
    });
    outcome.unwrap_or_else(|error| {
        complain(error);
        Exit::Other
    })
}

fn refuse<F: Display>(faults: impl IntoIterator<Item = F>) -> Exit {
    for fault in faults {
        complain(fault);
    }
    Exit::Configuration
}

/// Where standard output is closed, there is nobody left to tell.
fn print(text: impl Display) {
    let _ = write!(io::stdout(), "{text}");
}

fn complain(text: impl Display) {
    let text = text.to_string();
    let _ = writeln!(io::stderr(), "undersign: {}", text.trim_end());
}
