//! Files that hold a secret, and who else may read them.

use std::{
    fs::{self, File, Metadata},
    io,
    os::{fd::AsRawFd as _, unix::fs::MetadataExt as _},
    path::{Component, Path, PathBuf},
};

use rustix::fs::{Mode, OFlags, StatVfsMountFlags};
use zeroize::Zeroizing;

use super::{SecretError, read_bounded};

/// Where container engines and systemd put secrets; who may read them is up to these. systemd grants the service's user
/// access by an ACL, which shows as a permission of the group.
const SECRET_MOUNTS: [&str; 3] = ["/run/secrets", "/var/run/secrets", "/run/credentials"];

/// `statfs`'s types of file systems that live in memory: tmpfs and ramfs.
const MEMORY_FILE_SYSTEMS: [u64; 2] = [0x0102_1994, 0x8584_58f6];

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    /// The path is not shown: it may be the secret itself, given by mistake.
    #[error(
        "names a file that cannot be read ({0}): put the secret into one that this user can read"
    )]
    Unreadable(#[from] io::Error),
    #[error("names no regular file")]
    NotRegular,
    #[error("others than the owner may read this file: run {0}")]
    Exposed(String),
}

/// Reads a file that holds a secret, if nobody but its owner may read it.
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    // What is checked is what was opened, whatever happens to the path meanwhile. `NONBLOCK` because opening a
    // named pipe would wait for a writer.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = rustix::fs::open(path, flags, Mode::empty())
        .map(File::from)
        .map_err(|error| FileError::Unreadable(error.into()))?;
    let metadata = file.metadata().map_err(FileError::Unreadable)?;
    if !metadata.is_file() {
        return Err(FileError::NotRegular.into());
    }
    if is_exposed(&metadata) && !is_secret_mount(&file, path) {
        return Err(FileError::Exposed(remedy(path)).into());
    }
    Ok(read_bounded(file).map_err(FileError::Unreadable)?)
}

/// Checks that nobody but its owner may read a file, if it can be opened at all: what else is wrong with it shows when it is
/// read, which happens elsewhere.
pub(super) fn check_exposure(path: &Path) -> Result<(), SecretError> {
    match read(path) {
        Err(error @ SecretError::File(FileError::Exposed(_))) => Err(error),
        _ => Ok(()),
    }
}

fn is_exposed(metadata: &Metadata) -> bool {
    metadata.mode() & 0o077 != 0
}

/// Whether the file is where a container engine, systemd or Kubernetes provides secrets, with modes that nobody can change.
fn is_secret_mount(file: &File, path: &Path) -> bool {
    let provided = opened_path(file, path)
        .is_some_and(|opened| SECRET_MOUNTS.iter().any(|mount| opened.starts_with(mount)));
    provided || (is_in_memory(file) && (is_read_only(file) || is_kubernetes_volume(path)))
}

/// The path of what was opened, with every symbolic link followed.
fn opened_path(file: &File, path: &Path) -> Option<PathBuf> {
    fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))
        .or_else(|_| fs::canonicalize(path))
        .ok()
}

fn is_in_memory(file: &File) -> bool {
    #[cfg(target_os = "linux")]
    {
        // The type's width differs between platforms; the magic numbers fit into 32 bits.
        rustix::fs::fstatfs(file)
            .is_ok_and(|status| MEMORY_FILE_SYSTEMS.contains(&(status.f_type as u64 & 0xffff_ffff)))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (file, MEMORY_FILE_SYSTEMS);
        false
    }
}

fn is_read_only(file: &File) -> bool {
    rustix::fs::fstatvfs(file).is_ok_and(|status| status.f_flag.contains(StatVfsMountFlags::RDONLY))
}

/// Kubernetes makes each file of a volume a link to `..data/NAME`, so as to replace all of them at once.
fn is_kubernetes_volume(path: &Path) -> bool {
    fs::read_link(path).is_ok_and(|target| {
        target.components().next() == Some(Component::Normal("..data".as_ref()))
    })
}

/// The command to run.
fn remedy(path: &Path) -> String {
    let path = path.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%:=,".contains(c);
    if path.chars().all(plain) && !path.starts_with('-') {
        format!("chmod 600 {path}")
    } else {
        format!("chmod 600 -- '{}'", path.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn write(directory: &Path, name: &str, mode: u32) -> PathBuf {
        let path = directory.join(name);
        fs::write(&path, "secret").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_the_command_to_run() {
        let directory = tempfile::tempdir().unwrap();
        for mode in [0o640, 0o604, 0o620, 0o601] {
            let path = write(directory.path(), "secret", mode);
            let error = read(&path).unwrap_err().to_string();
            assert!(
                error.ends_with(&format!("run chmod 600 {}", path.display())),
                "{error}"
            );
        }
        for mode in [0o600, 0o400] {
            assert_eq!(
                **read(&write(directory.path(), "secret", mode)).unwrap(),
                *b"secret"
            );
        }
    }

    #[test]
    fn a_link_that_looks_like_kubernetes_is_not_enough_outside_memory() {
        let directory = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        fs::create_dir(directory.path().join("..data")).unwrap();
        write(&directory.path().join("..data"), "secret", 0o644);
        let link = directory.path().join("secret");
        symlink("..data/secret", &link).unwrap();
        assert!(is_kubernetes_volume(&link));
        let in_memory = is_in_memory(&File::open(&link).unwrap());
        assert_eq!(read(&link).is_ok(), in_memory);
    }

    #[test]
    fn neither_a_directory_nor_a_named_pipe_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let error = read(directory.path()).unwrap_err();
        assert!(matches!(error, SecretError::File(FileError::NotRegular)));
    }

    #[test]
    fn a_strange_path_is_quoted_for_the_shell() {
        assert_eq!(
            remedy(Path::new("/a b/it's")),
            r"chmod 600 -- '/a b/it'\''s'"
        );
    }
}
