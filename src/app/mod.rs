//! What each subcommand does, and what the program's exit code says of it.

mod daemon;
mod process;
mod reload;
mod watch;

use std::{ffi::OsString, fmt::Display, io, io::Write as _, process::ExitCode};

use self::process::{Signals, forbid_dumps, in_runtime};
use crate::{
    admin,
    cli::{self, Command, NoCommand},
    config::{self, Checks, Flags, ListenAddress},
    demo,
    doctor::{self, DoctorError, DoctorWords},
    env::Environment,
    inspect::{self, Report},
    log,
    server::{self, End},
    stamp::{fresh_nonce, seconds_since_epoch},
    upstream::check_tls,
};

/// What is asked of others wherever a configuration is read to be used.
const CHECKS: Checks = Checks {
    tls: Some(check_tls),
    log_file: None,
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

/// Runs the program with the words of its command line, of which the first is its name.
pub fn main(words: impl Iterator<Item = OsString>) -> ExitCode {
    let command = match cli::parse(words) {
        Ok(command) => command,
        Err(NoCommand::Help(text)) => {
            return print(text, Exit::Clean).into();
        }
        Err(NoCommand::Wrong(text)) => {
            complain(text);
            return Exit::Usage.into();
        }
    };
    let environment = Environment::capture();
    forbid_dumps();
    let exit = match command {
        Command::Run(flags) => daemon::run(flags, environment.with_sockets()),
        Command::Check(flags) => check(&flags, &environment),
        Command::Sign(words) => {
            let (now, nonce) = (seconds_since_epoch(), fresh_nonce());
            report(inspect::sign(&words, &environment, now, nonce))
        }
        Command::Verify(words) => {
            report(inspect::verify(&words, &environment, seconds_since_epoch()))
        }
        Command::Doctor(words) => doctor(&words, &environment),
        Command::Demo { listen } => demo(listen.as_deref(), &environment),
        Command::Healthcheck { admin_listen } => healthcheck(admin_listen, &environment),
        Command::Completions(text) | Command::Man(text) => print(text, Exit::Clean),
    };
    exit.into()
}

fn check(flags: &Flags, environment: &Environment) -> Exit {
    // The daemon opens its log instead.
    let checks = Checks {
        log_file: Some(log::check_file),
        ..CHECKS
    };
    let config = match config::load(flags, environment, checks) {
        Ok(config) => config,
        Err(faults) => return refuse(&faults),
    };
    match server::check(&config) {
        Ok(notes) => {
            notes.iter().for_each(complain);
            print(config::describe(&config), Exit::Clean)
        }
        Err(faults) => refuse(&faults),
    }
}

fn doctor(words: &DoctorWords, environment: &Environment) -> Exit {
    let target: doctor::Target = match words.path.parse() {
        Ok(target) => target,
        Err(error) => {
            complain(format_args!("--path {error}"));
            return Exit::Usage;
        }
    };
    let proxies = match &words.proxy {
        None => config::load(&words.flags, environment, CHECKS).map(|config| config.proxies),
        Some(name) => config::load_one(&words.flags, environment, Some(name), None, CHECKS)
            .map(|proxy| vec![proxy]),
    };
    let proxies = match proxies {
        Ok(proxies) => proxies,
        Err(faults) => return refuse(&faults),
    };
    in_runtime(async {
        Ok(
            match doctor::examine(proxies, &target, &mut io::stdout()).await {
                Ok(true) => Exit::Clean,
                Ok(false) => Exit::Other,
                Err(DoctorError::Settings(faults)) => refuse(&faults),
                Err(error) => {
                    complain(error);
                    Exit::Other
                }
            },
        )
    })
}

/// Prints what was found out about one request.
fn report(outcome: Result<Report, inspect::Error>) -> Exit {
    match outcome {
        Ok(report) => {
            report.notes.iter().for_each(complain);
            let verdict = if report.is_right {
                Exit::Clean
            } else {
                Exit::Other
            };
            print(report.text, verdict)
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
        print(demo.introduction(), Exit::Clean);
        let end = End::default();
        let mut running = tokio::spawn(demo.run(end.clone()));
        tokio::select! {
            _ = &mut running => return Ok(Exit::Other),
            () = signals.stop.recv() => end.drain.cancel(),
        }
        tokio::select! {
            _ = &mut running => return Ok(Exit::Clean),
            () = signals.stop.recv() => end.cut.cancel(),
        }
        let _ = running.await;
        Ok(Exit::Other)
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

fn refuse<F: Display>(faults: impl IntoIterator<Item = F>) -> Exit {
    for fault in faults {
        complain(fault);
    }
    Exit::Configuration
}

/// Prints what was asked for; returns `exit`, unless it is lost. Where the reader of a pipe has left, it has seen all that
/// it wanted.
fn print(text: impl Display, exit: Exit) -> Exit {
    match write!(io::stdout(), "{text}").and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(format_args!("can't write to standard output: {error}"));
            Exit::Other
        }
        _ => exit,
    }
}

fn complain(text: impl Display) {
    let text = text.to_string();
    let _ = writeln!(io::stderr(), "undersign: {}", text.trim_end());
}
