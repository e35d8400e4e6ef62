//! The command line. No other file names clap.
//!
//! Values stay texts, so that `config::load` can report whatever is wrong with them together with the rest.

use std::ffi::OsString;

use clap::{
    Args, CommandFactory as _, Parser, Subcommand,
    builder::PossibleValuesParser,
    error::{ContextKind, ContextValue, ErrorKind},
};
use clap_complete::Shell;

use crate::{
    config::Flags,
    doctor::DoctorWords,
    inspect::{RequestWords, SignWords, VerifyWords},
};

/// What stands below the long help, and in the man page.
const SIGNALS_AND_EXIT_CODES: &str = "\
Signals: TERM and INT stop the daemon, which finishes what is under way for up to 30 s; a second one ends it at once. \
HUP reopens the log file and reloads configuration, secrets and certificates; if anything is wrong with those, the old \
ones serve on.

Exit codes: 0 a clean stop, 64 a wrong command line, 69 an address that can't be bound, 78 a wrong configuration, \
1 anything else. Those of verify, doctor and healthcheck stand in their own help.";

/// The subcommands that have a man page, which are all but `help`.
const PAGES: [&str; 9] = [
    "run",
    "check",
    "sign",
    "verify",
    "doctor",
    "demo",
    "healthcheck",
    "completions",
    "man",
];

/// What the user asked for.
#[derive(Clone, Debug)]
pub enum Command {
    /// Run the daemon.
    Run(Flags),
    /// Check the configuration and print it.
    Check(Flags),
    /// Sign one request and print its header.
    Sign(Box<SignWords>),
    /// Judge the signature of another client.
    Verify(Box<VerifyWords>),
    /// Examine the way to each platform.
    Doctor(Box<DoctorWords>),
    /// Run a platform to try things with, and a proxy in front of it.
    Demo {
        /// Where the proxy of the demonstration listens.
        listen: Option<String>,
    },
    /// Ask a running daemon whether it is ready.
    Healthcheck {
        /// The daemon's admin listener.
        admin_listen: Option<String>,
    },
    /// Print this script, which completes the command line in a shell.
    Completions(String),
    /// Print this man page, in roff.
    Man(String),
}

/// Why there is nothing to do but to print a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoCommand {
    /// This help, or the version, was asked for.
    Help(String),
    /// The command line is wrong, as this says.
    Wrong(String),
}

/// Reads the command line, of which the first word is the program's name.
///
/// # Errors
///
/// The command line is wrong, or asks for help or the version.
pub fn parse<I>(words: I) -> Result<Command, NoCommand>
where
    I: IntoIterator,
    I::Item: Into<OsString> + Clone,
{
    let line = CommandLine::try_parse_from(words).map_err(|mut error| {
        hide_values(&mut error);
        let text = error.render().to_string();
        if error.use_stderr() {
            NoCommand::Wrong(text)
        } else {
            NoCommand::Help(text)
        }
    })?;
    Ok(match line.action {
        None => Command::Run(line.flags.into()),
        Some(Action::Run(flags)) => Command::Run(flags.into()),
        Some(Action::Check(flags)) => Command::Check(flags.into()),
        Some(Action::Sign(arguments)) => Command::Sign(Box::new((*arguments).into())),
        Some(Action::Verify(arguments)) => Command::Verify(Box::new((*arguments).into())),
        Some(Action::Doctor(arguments)) => Command::Doctor(Box::new((*arguments).into())),
        Some(Action::Demo { listen }) => Command::Demo { listen },
        Some(Action::Healthcheck { admin_listen }) => Command::Healthcheck { admin_listen },
        Some(Action::Completions { shell }) => Command::Completions(completions(shell)),
        Some(Action::Man { command }) => Command::Man(man(command.as_deref())),
    })
}

/// Takes out of an error what may be a secret in the wrong place: all words but the names of flags.
fn hide_values(error: &mut clap::Error) {
    let is_flag = |value: Option<&ContextValue>| matches!(value, Some(ContextValue::String(name)) if name.starts_with('-'));
    let unknown = error.kind() == ErrorKind::UnknownArgument;
    let mut hidden = vec![ContextKind::InvalidValue, ContextKind::InvalidSubcommand];
    if unknown && !is_flag(error.get(ContextKind::InvalidArg)) {
        hidden.push(ContextKind::InvalidArg);
    }
    for kind in hidden {
        if error.get(kind).is_some() {
            error.insert(kind, ContextValue::String("…".to_owned()));
        }
    }
}

/// A local reverse proxy that signs requests with OAuth 1.0a and forwards them unchanged.
///
/// Without a subcommand, the daemon runs.
#[derive(Debug, Parser)]
#[command(
    name = "undersign",
    version,
    args_conflicts_with_subcommands = true,
    after_long_help = SIGNALS_AND_EXIT_CODES
)]
struct CommandLine {
    #[command(flatten)]
    flags: FlagArguments,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Run the daemon; the default
    Run(FlagArguments),
    /// Check the configuration, and print it with each secret masked
    ///
    /// Exits with 0, or with 78 after printing every fault found.
    Check(FlagArguments),
    /// Print the Authorization header of a request, without sending it
    ///
    /// Prints the whole line, as in: curl -H "$(undersign sign GET URL)" URL
    ///
    /// The URL is signed as it stands, whatever the upstream; one that begins with its path is the upstream's, and so
    /// is one with the address of the proxy's own listener.
    Sign(Box<SignArguments>),
    /// Say whether the Authorization header of another client is right, and if not, what the client did wrong
    ///
    /// Exits with 0 if it is, with 1 if it is not, and with 64 if the header makes no sense.
    Verify(Box<VerifyArguments>),
    /// Find out why a platform can't be reached or used: DNS, TCP, TLS, the clocks, and one signed GET
    ///
    /// Examines each proxy in turn by what the daemon itself would use, and says of each step what is wrong and what to
    /// do. Exits with 0 if no step failed, otherwise with 1.
    Doctor(Box<DoctorArguments>),
    /// Try it out: run a platform that verifies signatures, and a proxy in front of it
    Demo {
        /// Where the proxy listens: HOST:PORT or unix:/path [default: 127.0.0.1:8080]
        #[arg(long, value_name = "ADDR")]
        listen: Option<String>,
    },
    /// Ask a running daemon whether it is ready, for health checks of containers
    ///
    /// Exits with 0 if the admin listener's /readyz says so, otherwise with 1.
    Healthcheck {
        /// The admin listener of the daemon [env: UNDERSIGN_ADMIN_LISTEN]
        #[arg(long, value_name = "ADDR")]
        admin_listen: Option<String>,
    },
    /// Print a script that completes this command line in a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the man page, or that of a subcommand
    Man {
        /// The subcommand [default: none, for the page of the whole]
        #[arg(value_parser = PossibleValuesParser::new(PAGES))]
        command: Option<String>,
    },
}

/// The variables stand in the help alone: reading them is the configuration's part, which can then tell a
/// variable from a flag.
#[derive(Args, Debug)]
struct FlagArguments {
    /// The configuration file [env: UNDERSIGN_CONFIG] [default: undersign.toml, then
    /// /etc/undersign/undersign.toml, where there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<String>,
    /// Where to listen: HOST:PORT, with port 0 for any that is free, unix:/path or systemd:NAME [env: UNDERSIGN_LISTEN]
    /// [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// The platform to forward to: https://host[:port] [env: UNDERSIGN_UPSTREAM]
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    /// The consumer key [env: UNDERSIGN_CONSUMER_KEY]
    #[arg(long, value_name = "KEY")]
    consumer_key: Option<String>,
    /// The file that holds the consumer secret, readable by its owner alone
    /// [env: UNDERSIGN_CONSUMER_SECRET_FILE, or the secret itself in UNDERSIGN_CONSUMER_SECRET]
    #[arg(long, value_name = "FILE")]
    consumer_secret_file: Option<String>,
    /// The token; none for two-legged OAuth [env: UNDERSIGN_TOKEN]
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
    /// The file that holds the token secret [env: UNDERSIGN_TOKEN_SECRET_FILE, or the secret itself in
    /// UNDERSIGN_TOKEN_SECRET]
    #[arg(long, value_name = "FILE")]
    token_secret_file: Option<String>,
    /// Accept any certificate of the upstream [env: UNDERSIGN_TRUST_SELF_SIGNED]
    #[arg(long)]
    trust_self_signed: bool,
    /// Accept to listen where other machines can connect [env: UNDERSIGN_ALLOW_NONLOCAL_LISTEN]
    #[arg(long)]
    allow_nonlocal_listen: bool,
    /// Accept an upstream without TLS [env: UNDERSIGN_ALLOW_PLAINTEXT_UPSTREAM]
    #[arg(long)]
    allow_plaintext_upstream: bool,
    /// Where /livez, /readyz and /metrics are served [env: UNDERSIGN_ADMIN_LISTEN] [default: nowhere]
    #[arg(long, value_name = "ADDR")]
    admin_listen: Option<String>,
    /// The log's format [env: UNDERSIGN_LOG_FORMAT] [default: text on a terminal, otherwise json]
    #[arg(long, value_name = "FORMAT", value_parser = PossibleValuesParser::new(["text", "json"]))]
    log_format: Option<String>,
    /// The log's file, reopened on SIGHUP [env: UNDERSIGN_LOG_FILE] [default: standard error]
    #[arg(long, value_name = "FILE")]
    log_file: Option<String>,
}

/// A request; where curl has such an argument, it is curl's.
#[derive(Args, Debug)]
struct RequestArguments {
    /// The request's method
    method: String,
    /// The URL, of which not a byte is changed; or its path and query alone
    url: OsString,
    /// The body, or @FILE, or @- for standard input; several are joined with &. Line breaks in a file are left out.
    /// The body is a form, unless a Content-Type says otherwise
    #[arg(short, long, value_name = "DATA", allow_hyphen_values = true)]
    data: Vec<OsString>,
    /// Likewise, but with the line breaks of a file
    #[arg(
        long,
        value_name = "DATA",
        allow_hyphen_values = true,
        conflicts_with = "data"
    )]
    data_binary: Vec<OsString>,
    /// A header of the request; Content-Type and Host have a part in the signature
    #[arg(
        short = 'H',
        long,
        value_name = "NAME: VALUE",
        allow_hyphen_values = true
    )]
    header: Vec<String>,
    /// The proxy whose credentials are meant, if the configuration has several
    #[arg(long, value_name = "NAME")]
    proxy: Option<String>,
    #[command(flatten)]
    flags: FlagArguments,
}

#[derive(Args, Debug)]
struct SignArguments {
    #[command(flatten)]
    request: RequestArguments,
    /// oauth_timestamp, in seconds since 1970 [default: now]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    timestamp: Option<String>,
    /// oauth_nonce [default: a random one]
    #[arg(long, value_name = "NONCE")]
    nonce: Option<String>,
    /// Print each step on the way to the signature, too; secrets are masked
    #[arg(long)]
    explain: bool,
}

#[derive(Args, Debug)]
struct VerifyArguments {
    #[command(flatten)]
    request: RequestArguments,
    /// The other client's header: OAuth …, or Authorization: OAuth … [default: standard input]
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    authorization: Option<String>,
    /// The other client's base string, to be compared with the right one
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    base_string: Option<String>,
}

#[derive(Args, Debug)]
struct DoctorArguments {
    /// What to ask for at the end: a path, with or without a query, that a GET changes nothing at
    #[arg(long, value_name = "PATH", default_value = "/")]
    path: String,
    /// The only proxy to examine [default: each]
    #[arg(long, value_name = "NAME")]
    proxy: Option<String>,
    #[command(flatten)]
    flags: FlagArguments,
}

impl From<DoctorArguments> for DoctorWords {
    fn from(arguments: DoctorArguments) -> Self {
        Self {
            path: arguments.path,
            proxy: arguments.proxy,
            flags: arguments.flags.into(),
        }
    }
}

impl From<RequestArguments> for RequestWords {
    fn from(arguments: RequestArguments) -> Self {
        Self {
            method: arguments.method,
            url: arguments.url,
            data: arguments.data,
            data_binary: arguments.data_binary,
            headers: arguments.header,
            proxy: arguments.proxy,
            flags: arguments.flags.into(),
        }
    }
}

impl From<SignArguments> for SignWords {
    fn from(arguments: SignArguments) -> Self {
        Self {
            request: arguments.request.into(),
            timestamp: arguments.timestamp,
            nonce: arguments.nonce,
            explain: arguments.explain,
        }
    }
}

impl From<VerifyArguments> for VerifyWords {
    fn from(arguments: VerifyArguments) -> Self {
        Self {
            request: arguments.request.into(),
            authorization: arguments.authorization,
            base_string: arguments.base_string,
        }
    }
}

impl From<FlagArguments> for Flags {
    fn from(arguments: FlagArguments) -> Self {
        Self {
            config: arguments.config,
            listen: arguments.listen,
            upstream: arguments.upstream,
            consumer_key: arguments.consumer_key,
            consumer_secret_file: arguments.consumer_secret_file,
            token: arguments.token,
            token_secret_file: arguments.token_secret_file,
            trust_self_signed: arguments.trust_self_signed,
            allow_nonlocal_listen: arguments.allow_nonlocal_listen,
            allow_plaintext_upstream: arguments.allow_plaintext_upstream,
            admin_listen: arguments.admin_listen,
            log_format: arguments.log_format,
            log_file: arguments.log_file,
        }
    }
}

fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut CommandLine::command(), "undersign", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The page of a subcommand, or without one that of the program, which refers to the others.
fn man(subcommand: Option<&str>) -> String {
    // There is no page of `help`, which prints this and the others.
    let mut program = CommandLine::command().disable_help_subcommand(true);
    program.build();
    let subcommand = subcommand.and_then(|name| program.find_subcommand(name));
    let man = clap_mangen::Man::new(subcommand.unwrap_or(&program).clone());
    let mut page = Vec::new();
    // Writing to a Vec can't fail.
    let _ = man
        .source(concat!("undersign ", env!("CARGO_PKG_VERSION")))
        .render(&mut page);
    String::from_utf8_lossy(&page).into_owned()
}

#[cfg(test)]
mod tests;
