//! Looking at files now and then, to see whether they have changed.
//!
//! Not by inotify: it says nothing of what happens at the other end of a network or container mount, nor when one of the
//! links on the way to a file is replaced, unless each directory on that way is watched too. To look costs a few system
//! calls a second.

use std::{
    fs::{self, Metadata},
    future::pending,
    os::unix::fs::MetadataExt as _,
    path::PathBuf,
    time::Duration,
};

use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep},
};

/// The time between two looks.
const INTERVAL: Duration = Duration::from_secs(1);

/// When to try again what was refused, though no file has changed: the cause may be elsewhere, such as in a command.
const RETRY: Duration = Duration::from_secs(60);

/// What a file is, without its content: what stands at its path after all links are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sighting {
    device: u64,
    inode: u64,
    size: u64,
    /// It may have been the fault, and been put right.
    mode: u32,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl From<Metadata> for Sighting {
    fn from(metadata: Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            mode: metadata.mode(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// Files as they were at one time; those that could not be found were none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sightings(Vec<(PathBuf, Option<Sighting>)>);

impl Sightings {
    /// Looks at files. This may take long on a network mount, so it belongs outside of async tasks.
    pub(super) fn of(files: Vec<PathBuf>) -> Self {
        let look = |file: PathBuf| {
            let sighting = fs::metadata(&file).ok().map(Sighting::from);
            (file, sighting)
        };
        Self(files.into_iter().map(look).collect())
    }

    /// Looks at the same files again.
    pub(super) fn again(&self) -> Self {
        Self::of(self.0.iter().map(|(file, _)| file.clone()).collect())
    }
}

/// Waits for files to change.
#[derive(Debug)]
pub(super) struct Watch {
    /// The files as they were before they were last read.
    read: Sightings,
    retry_at: Option<Instant>,
}

impl Watch {
    /// Watches files that have been read since they were seen so.
    pub(super) fn new(read: Sightings) -> Self {
        Self {
            read,
            retry_at: None,
        }
    }

    /// Takes it that the files, and which of them there are, will not do.
    pub(super) fn refused(&mut self, read: Sightings) {
        self.read = read;
        self.retry_at = Some(Instant::now() + RETRY);
    }

    /// Waits until the files are others than those that were read, and the same at two looks: whoever writes one file
    /// after the other, or one in pieces, is given the time to finish. After a refusal, waits for [`RETRY`] at most.
    pub(super) async fn changed(&self) {
        if self.read.0.is_empty() && self.retry_at.is_none() {
            pending::<()>().await;
        }
        let mut last_look = None;
        loop {
            sleep(INTERVAL).await;
            if self.retry_at.is_some_and(|at| at <= Instant::now()) {
                return;
            }
            let read = self.read.clone();
            // It does not panic.
            let Ok(look) = spawn_blocking(move || read.again()).await else {
                continue;
            };
            if look != self.read && last_look.as_ref() == Some(&look) {
                return;
            }
            last_look = Some(look);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn whatever_happens_to_a_file_is_seen() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for version in ["v1", "v2"] {
            fs::create_dir(path(version)).unwrap();
            fs::write(path(version).join("secret"), "same size").unwrap();
        }
        symlink("v1", path("..data")).unwrap();
        symlink("..data/secret", path("secret")).unwrap();
        let mut before = Sightings::of(vec![path("secret")]);
        let mut check = |what: &str, change: &dyn Fn()| {
            assert_eq!(before, before.again(), "before {what}");
            change();
            let after = before.again();
            assert_ne!(before, after, "{what}");
            before = after;
        };
        check("a link on the way is replaced", &|| {
            symlink("v2", path("..data_tmp")).unwrap();
            fs::rename(path("..data_tmp"), path("..data")).unwrap();
        });
        check("it is written to", &|| {
            fs::write(path("v2/secret"), "of another size").unwrap();
        });
        check("its mode is changed", &|| {
            let mode = fs::Permissions::from_mode(0o400);
            fs::set_permissions(path("v2/secret"), mode).unwrap();
        });
        check("it is replaced", &|| {
            fs::rename(path("v1/secret"), path("v2/secret")).unwrap();
        });
        check("it is removed", &|| {
            fs::remove_file(path("secret")).unwrap();
        });
        check("it comes back", &|| fs::write(path("secret"), "").unwrap());
    }
}
