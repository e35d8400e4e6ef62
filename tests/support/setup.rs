//! The daemon before its start: its configuration, its secrets and its environment.

use std::{
    fmt::Write as _,
    fs,
    os::{fd::OwnedFd, unix::fs::PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use command_fds::{CommandFdExt as _, FdMapping};
use rand::distr::{Alphanumeric, SampleString as _};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;
use undersign::oauth::{Credentials, QueryPlus, Realm, SigningOptions};

use super::{
    daemon::{Daemon, Process},
    log::Log,
};

/// The name of the proxy that a test configures.
pub(crate) const PROXY: &str = "test";

/// A daemon that is yet to be started: one proxy, on a port that the system picks.
#[derive(Debug)]
pub(crate) struct Setup {
    directory: TempDir,
    upstream: String,
    listen: Vec<String>,
    log: String,
    keys: String,
    tables: String,
    credentials: Credentials,
    signing: SigningOptions,
    prelude: Option<String>,
    variables: Vec<(String, String)>,
    /// What is passed, with its name.
    passed: Vec<(String, OwnedFd)>,
}

impl Setup {
    /// A proxy in front of `upstream`, whose certificate it does not verify, with credentials of its own.
    pub(crate) fn new(upstream: impl Into<String>) -> Self {
        let credentials = Credentials {
            consumer_key: random_text(32),
            consumer_secret: random_text(64).into(),
            token: None,
            token_secret: String::new().into(),
        };
        Self {
            directory: tempfile::tempdir().unwrap(),
            upstream: upstream.into(),
            listen: vec!["127.0.0.1:0".to_owned()],
            log: "format = 'json'".to_owned(),
            keys: String::new(),
            tables: "[proxy.test.tls]\ntrust = 'self-signed'\n".to_owned(),
            credentials,
            signing: SigningOptions::default(),
            prelude: None,
            variables: Vec::new(),
            passed: Vec::new(),
        }
    }

    /// Has a shell run a command first, such as `ulimit`, and then become the daemon.
    pub(crate) fn prelude(mut self, command: &str) -> Self {
        self.prelude = Some(command.to_owned());
        self
    }

    /// Gives the daemon a variable, beside which it gets none.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Passes a descriptor under a name, as systemd does.
    pub(crate) fn pass(mut self, name: &str, descriptor: impl Into<OwnedFd>) -> Self {
        self.passed.push((name.to_owned(), descriptor.into()));
        self
    }

    /// Listens on this address.
    pub(crate) fn listen_at(mut self, address: &str) -> Self {
        self.listen = vec![address.to_owned()];
        self
    }

    /// Listens on this address too.
    pub(crate) fn also_listen_at(mut self, address: &str) -> Self {
        self.listen.push(address.to_owned());
        self
    }

    /// Listens on a Unix socket in the daemon's directory.
    pub(crate) fn listen_on_unix_socket(self) -> Self {
        let path = self.directory.path().join("proxy.sock");
        self.listen_at(&format!("unix:{}", path.display()))
    }

    /// Sets the keys of `[log]`, in place of the JSON on standard error.
    pub(crate) fn log(mut self, keys: &str) -> Self {
        keys.clone_into(&mut self.log);
        self
    }

    /// Adds keys to `[proxy.test]`.
    pub(crate) fn keys(mut self, keys: &str) -> Self {
        self.keys.push_str(keys);
        self.keys.push('\n');
        self
    }

    /// Adds a table `[proxy.test.NAME]`, or replaces that of `tls`.
    pub(crate) fn table(mut self, name: &str, keys: &str) -> Self {
        if name == "tls" {
            self.tables = self.tables.replace("trust = 'self-signed'", keys);
        } else {
            // Writing to a String can't fail.
            let _ = write!(self.tables, "[proxy.{PROXY}.{name}]\n{keys}\n");
        }
        self
    }

    /// Adds whole tables of any name.
    pub(crate) fn document(mut self, toml: &str) -> Self {
        self.tables.push_str(toml);
        self.tables.push('\n');
        self
    }

    /// Signs with a token; an empty secret is one that is not configured.
    pub(crate) fn token(mut self, token: &str, secret: &str) -> Self {
        self.credentials.token = Some(token.to_owned());
        self.credentials.token_secret = secret.to_owned().into();
        self = self.keys(&format!("token = '{token}'"));
        if secret.is_empty() {
            return self;
        }
        let path = self.secret_file("token-secret", secret);
        self.keys(&format!("token_secret_file = '{}'", path.display()))
    }

    /// Signs in this way.
    pub(crate) fn signing(mut self, options: SigningOptions) -> Self {
        let realm = match &options.realm {
            Realm::None => "",
            Realm::Uri => "uri",
            Realm::Fixed(realm) => realm,
        };
        let plus = match options.query_plus {
            QueryPlus::Space => "space",
            QueryPlus::Literal => "literal",
        };
        let method = options.method.signature_method().name();
        let body_hash = options.body_hash;
        let keys = format!(
            "signature_method = '{method}'\nrealm = '{realm}'\nquery_plus = '{plus}'\nbody_hash = {body_hash}"
        );
        self.signing = options;
        self.keys(&keys)
    }

    /// Signs with this private key, in PEM; the method is set by [`Setup::signing`].
    pub(crate) fn private_key(self, pem: &str) -> Self {
        let path = self.secret_file("private-key.pem", pem);
        self.keys(&format!("private_key_file = '{}'", path.display()))
    }

    /// Is configured by `file`, whose only proxy has this name, in place of all keys set here, and by variables: for its
    /// addresses, for trust, and by [`Setup::variable`] for what else has to be local.
    pub(crate) fn file(self, file: &Path, proxy: &str) -> Self {
        let prefix = format!("UNDERSIGN_PROXY__{}", proxy.to_uppercase());
        let upstream = self.upstream.clone();
        self.variable("UNDERSIGN_CONFIG", file.to_str().unwrap())
            .variable(&format!("{prefix}__LISTEN"), "127.0.0.1:0")
            .variable(&format!("{prefix}__UPSTREAM"), &upstream)
            .variable(&format!("{prefix}__TLS__TRUST"), "self-signed")
    }

    /// What [`Setup::file`] should come to, for verifying.
    pub(crate) fn expecting(mut self, credentials: Credentials, signing: SigningOptions) -> Self {
        self.credentials = credentials;
        self.signing = signing;
        self
    }

    /// The daemon's directory.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file into the daemon's directory that its owner alone may read.
    pub(crate) fn secret_file(&self, name: &str, content: &str) -> PathBuf {
        write_secret(self.directory.path(), name, content)
    }

    /// Starts the process without waiting for it to be ready.
    pub(crate) fn spawn(mut self) -> Process {
        let secret = self.secret_file(
            "consumer-secret",
            self.credentials.consumer_secret.expose_secret(),
        );
        let text = format!(
            "[log]\n{}\n[proxy.{PROXY}]\nlisten = {:?}\nupstream = '{}'\nconsumer_key = '{}'\n\
             consumer_secret_file = '{}'\n{}\n{}",
            self.log,
            self.listen,
            self.upstream,
            self.credentials.consumer_key,
            secret.display(),
            self.keys,
            self.tables,
        );
        fs::write(self.directory.path().join("undersign.toml"), text).unwrap();
        if !self.passed.is_empty() {
            let names: Vec<_> = self.passed.iter().map(|(name, _)| &**name).collect();
            let (count, names) = (names.len().to_string(), names.join(":"));
            // The shell becomes the daemon, so their ids are the same; another prelude says another id.
            self.prelude
                .get_or_insert("export LISTEN_PID=$$".to_owned());
            self = self
                .variable("LISTEN_FDS", &count)
                .variable("LISTEN_FDNAMES", &names);
        }
        let binary = env!("CARGO_BIN_EXE_undersign");
        let mut command = match &self.prelude {
            None => Command::new(binary),
            Some(prelude) => {
                let mut shell = Command::new("/bin/sh");
                shell.args(["-c", &format!("{prelude} && exec \"$0\""), binary]);
                shell
            }
        };
        let passed = (3..).zip(self.passed.drain(..));
        let passed = passed.map(|(child_fd, (_, parent_fd))| FdMapping {
            parent_fd,
            child_fd,
        });
        command.fd_mappings(passed.collect()).expect("one of each");
        let mut child = command
            .current_dir(self.directory.path())
            .env_clear()
            .envs(self.variables)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the daemon's binary");
        let log = Log::collect(child.stderr.take().unwrap());
        Process {
            child,
            log,
            listeners: self.listen.len(),
            directory: self.directory,
            credentials: self.credentials,
            signing: self.signing,
        }
    }

    /// Starts the daemon and waits until it accepts connections.
    #[track_caller]
    pub(crate) fn start(self) -> Daemon {
        self.spawn().ready()
    }
}

/// Writes a file that its owner alone may read.
pub(crate) fn write_secret(directory: &Path, name: &str, content: &str) -> PathBuf {
    let path = directory.join(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// Letters and digits, different in each run.
pub(crate) fn random_text(length: usize) -> String {
    Alphanumeric.sample_string(&mut rand::rng(), length)
}
