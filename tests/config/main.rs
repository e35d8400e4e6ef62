//! The configuration as a black box: what is read, what is refused, and what is never shown.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what a test needs fails by panicking, outside of its function too"
)]

mod examples;
mod faults;
mod layers;
mod secrets;

use std::{fs, os::unix::fs::PermissionsExt as _};

use tempfile::TempDir;
use undersign::{
    config::{Checks, Config, Faults, Flags, load},
    log::check_file,
    upstream::check_tls,
};

/// What is planted wherever a user may have pasted a secret.
const SENTINEL: &str = "S3NTINEL";

/// What a proxy needs beside its secret, which `Setup` gives by a variable.
const PROXY: &str = "[proxy.aps]\nupstream = 'https://up.example'\nconsumer_key = 'key'\nconsumer_secret_env = 'APS_SECRET'\n";

/// Those of `undersign check`.
const CHECKS: Checks = Checks {
    tls: Some(check_tls),
    log_file: Some(check_file),
};

/// A directory with a configuration file, and an environment with the secret `APS_SECRET`.
struct Setup {
    directory: TempDir,
    variables: Vec<(String, String)>,
    flags: Flags,
}

impl Setup {
    fn new(toml: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("undersign.toml");
        fs::write(&path, toml).unwrap();
        let flags = Flags {
            config: Some(path.to_str().unwrap().to_owned()),
            ..Flags::default()
        };
        let variables = vec![("APS_SECRET".to_owned(), "secret".to_owned())];
        Self {
            directory,
            variables,
            flags,
        }
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn flags(mut self, set: impl FnOnce(&mut Flags)) -> Self {
        set(&mut self.flags);
        self
    }

    /// Writes a file with this mode into the directory.
    fn file(&self, name: &str, content: impl AsRef<[u8]>, mode: u32) -> String {
        let path = self.directory.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn load(&self) -> Result<Config, Faults> {
        let environment = self.variables.iter().cloned().collect();
        load(&self.flags, &environment, CHECKS)
    }

    #[track_caller]
    fn config(&self) -> Config {
        self.load().unwrap_or_else(|faults| panic!("{faults}"))
    }

    #[track_caller]
    fn faults(&self) -> Faults {
        self.load().expect_err("a fault")
    }

    /// Asserts that there is exactly one fault, with this key, origin and part of its text, which shows no value.
    #[track_caller]
    fn check(&self, key: &str, origin: &str, problem: &str) {
        let faults = self.faults();
        let shown: Vec<_> = faults.iter().map(ToString::to_string).collect();
        assert!(
            !format!("{faults}{faults:?}").contains(SENTINEL),
            "{shown:#?}"
        );
        let [fault] = &faults.iter().collect::<Vec<_>>()[..] else {
            panic!("not one fault: {shown:#?}");
        };
        assert_eq!(fault.key, key, "{shown:#?}");
        let found = fault.origin.as_deref().unwrap_or("");
        assert!(
            found.ends_with(origin) && found.is_empty() == origin.is_empty(),
            "{shown:#?}"
        );
        assert!(fault.problem.contains(problem), "{problem}: {shown:#?}");
    }
}
