//! Secrets that a container engine mounts, with modes that nobody can change. Each is mounted in a name space of its
//! own, where the system lets us have one.

use std::process::{Command, Stdio};

/// The name space, and what is done in it before the program is started.
fn in_own_mounts(script: &str) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(["--map-root-user", "--mount", "/bin/sh", "-ec", script])
        .arg(env!("CARGO_BIN_EXE_undersign"))
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null());
    command
}

#[test]
fn a_mounted_secret_may_be_readable_by_others() {
    let directory = tempfile::tempdir().unwrap();
    let mnt = directory.path().to_str().unwrap();
    if !in_own_mounts(&format!("mount -t tmpfs none {mnt}"))
        .output()
        .is_ok_and(|ended| ended.status.success())
    {
        return;
    }
    let table = [
        // In memory, but where modes can be changed.
        ("true", "/mnt/secret", false),
        ("true", "/run/other/secret", false),
        // What can't be changed, and where engines put what they provide, also by its other name.
        ("mount -o remount,ro /mnt", "/mnt/secret", true),
        ("true", "/run/secrets/secret", true),
        ("ln -s /run /mnt/var", "/mnt/var/secrets/secret", true),
        // What lies elsewhere does not become one of them by a link.
        (
            "ln -s /mnt/secret /run/secrets/link",
            "/run/secrets/link",
            false,
        ),
    ];
    for (change, path, is_fit) in table {
        let (change, path) = (change.replace("/mnt", mnt), path.replace("/mnt", mnt));
        let script = format!(
            "mount -t tmpfs none {mnt}; mount -t tmpfs none /run; mkdir /run/secrets /run/other
             for file in {mnt}/secret /run/secrets/secret /run/other/secret; do
               echo S3NTINEL > $file; chmod 644 $file
             done
             {change}
             cd /
             exec \"$0\" check --upstream https://a.test --consumer-key k --consumer-secret-file {path}"
        );
        let ended = in_own_mounts(&script).output().unwrap();
        let said = [ended.stdout, ended.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let code = if is_fit { 0 } else { 78 };
        assert_eq!(ended.status.code(), Some(code), "{change}, {path}: {said}");
        assert_eq!(
            said.contains(&format!("chmod 600 {path}")),
            !is_fit,
            "{said}"
        );
        assert!(!said.contains("S3NTINEL"), "{said}");
    }
}
