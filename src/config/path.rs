//! Paths of files, which may be among the credentials that systemd gives to a unit.

use std::path::{Path, PathBuf};

use crate::env::Environment;

/// What a path may begin with in place of the directory where systemd puts a unit's credentials (systemd.exec(5)).
const CREDENTIALS_DIRECTORY: &str = "${CREDENTIALS_DIRECTORY}/";

/// Reads a path.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse_path(text: &str, environment: &Environment) -> Result<PathBuf, &'static str> {
    if text.contains(char::is_control) {
        return Err("must hold no control characters");
    }
    let Some(credential) = text.strip_prefix(CREDENTIALS_DIRECTORY) else {
        return if text.starts_with('$') {
            // Taken as it stands, it would be a file that is not there.
            Err("may begin with ${CREDENTIALS_DIRECTORY}/; no other variable is replaced in a path")
        } else {
            Ok(PathBuf::from(text))
        };
    };
    match environment.get("CREDENTIALS_DIRECTORY") {
        Ok(Some(directory)) if !directory.is_empty() => {
            Ok(Path::new(directory).join(credential.trim_start_matches('/')))
        }
        _ => Err(
            "begins with ${CREDENTIALS_DIRECTORY}, which is not set: systemd sets it for a unit with LoadCredential=",
        ),
    }
}
