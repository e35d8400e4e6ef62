//! What a user wrote, read once, and resolved as often as the files that it names change.

use std::path::PathBuf;

use ::config::{Map, Value, ValueKind};

use super::{
    Checks, Config, Faults, Flags,
    path::parse_path,
    resolve,
    source::{self, Merged},
};
use crate::env::Environment;

/// Where `[proxy.NAME]` names a file that holds a secret or a certificate.
const FILES: [&[&str]; 7] = [
    &["consumer_secret_file"],
    &["token_secret_file"],
    &["private_key_file"],
    &["access", "client_token_file"],
    &["tls", "ca_file"],
    &["tls", "client_certificate_file"],
    &["tls", "client_key_file"],
];

/// The file, the variables and the flags as they were read. No secret is in them, only where each is to be found.
#[derive(Clone, Debug)]
pub struct Layers(Merged);

impl Layers {
    /// Reads the layers; what they name is not read yet.
    ///
    /// # Errors
    ///
    /// The configuration file can't be read.
    pub fn read(flags: &Flags, environment: &Environment) -> Result<Self, Faults> {
        source::merge(flags, environment, None)
            .map(Self)
            .map_err(Faults::new)
    }

    /// Makes them into a configuration, with the secrets as they are now.
    ///
    /// This reads files and may run commands for up to ten seconds each, so it belongs outside of async tasks.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, not only the first of it.
    pub fn resolve(&self, environment: &Environment, checks: Checks) -> Result<Config, Faults> {
        resolve::resolve(self.0.clone(), environment, checks).map_err(Faults::new)
    }

    /// The files of secrets, keys and certificates that they name, whether or not those are there.
    pub fn files(&self, environment: &Environment) -> Vec<PathBuf> {
        let proxies = self.0.values.get("proxy").and_then(table);
        let proxies = proxies.into_iter().flat_map(Map::values).filter_map(table);
        let mut files: Vec<_> = proxies
            .flat_map(|proxy| FILES.iter().filter_map(|key| file(proxy, key, environment)))
            .collect();
        files.sort();
        files.dedup();
        files
    }
}

fn table(value: &Value) -> Option<&Map<String, Value>> {
    match &value.kind {
        ValueKind::Table(table) => Some(table),
        _ => None,
    }
}

/// The file that a key of a proxy's names; an empty path is none, and nor is one that is wrong.
fn file(proxy: &Map<String, Value>, key: &[&str], environment: &Environment) -> Option<PathBuf> {
    let (last, tables) = key.split_last()?;
    let inner = tables
        .iter()
        .try_fold(proxy, |values, name| values.get(*name).and_then(table))?;
    match &inner.get(*last)?.kind {
        ValueKind::String(path) if !path.is_empty() => parse_path(path, environment).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_those_of_the_highest_layer_and_each_is_named_once() {
        let environment = Environment::from_iter([
            ("CREDENTIALS_DIRECTORY", "/run/credentials"),
            ("UNDERSIGN_PROXY__APS__CONSUMER_SECRET_COMMAND", "pass,aps"),
            ("UNDERSIGN_CONSUMER_SECRET_FILE", "/secrets/consumer"),
            ("UNDERSIGN_PROXY__APS__TLS__CA_FILE", "/certificates/ca.pem"),
            (
                "UNDERSIGN_PROXY__APS__TLS__CLIENT_KEY_FILE",
                "/secrets/both",
            ),
            (
                "UNDERSIGN_PROXY__APS__TLS__CLIENT_CERTIFICATE_FILE",
                "/secrets/both",
            ),
            ("UNDERSIGN_PROXY__APS__ACCESS__CLIENT_TOKEN_FILE", ""),
            (
                "UNDERSIGN_TOKEN_SECRET_FILE",
                "${CREDENTIALS_DIRECTORY}/token",
            ),
        ]);
        let layers = Layers::read(&Flags::default(), &environment).unwrap();
        let expected = [
            "/certificates/ca.pem",
            "/run/credentials/token",
            "/secrets/both",
            "/secrets/consumer",
        ];
        assert_eq!(layers.files(&environment), expected.map(PathBuf::from));
    }

    #[test]
    fn every_key_of_a_file_is_known() {
        let annotated = include_str!("../../config/undersign.toml");
        let mut keys: Vec<_> = annotated
            .lines()
            .filter_map(|line| line.trim_start_matches(['#', ' ']).split_once(" = "))
            .map(|(key, _)| key)
            .filter(|key| key.ends_with("_file"))
            .collect();
        let mut known = FILES.map(|key| *key.last().unwrap());
        keys.sort_unstable();
        keys.dedup();
        known.sort_unstable();
        assert_eq!(keys, known);
    }
}
