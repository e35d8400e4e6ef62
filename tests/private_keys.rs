//! Private keys of the RSA methods: which are taken, and what is said of the others.

mod support;

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use support::{
    certificates::{Certificate, rsa_key},
    command::{Ended, undersign},
    setup::write_secret,
};

/// Checks a configuration without a consumer secret, whose private key is a file that holds this.
#[track_caller]
fn check(method: &str, directory: &Path, content: &str) -> Ended {
    let key = write_secret(directory, "key.pem", content);
    check_file(method, directory, &key)
}

#[track_caller]
fn check_file(method: &str, directory: &Path, key: &Path) -> Ended {
    let words = [
        "check",
        "--upstream",
        "https://example.com",
        "--consumer-key",
        "key",
    ];
    let key = key.display().to_string();
    let variables = [
        ("UNDERSIGN_PROXY__DEFAULT__SIGNATURE_METHOD", method),
        ("UNDERSIGN_PROXY__DEFAULT__PRIVATE_KEY_FILE", &key),
    ];
    undersign(directory, &words, &variables)
}

const METHODS: [&str; 3] = ["RSA-SHA1", "RSA-SHA256", "RSA-SHA512"];

#[test]
fn a_private_key_needs_no_secret_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let pem = rsa_key();
    for method in METHODS {
        let ended = check(method, directory.path(), &pem);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        assert!(
            ended
                .stdout
                .contains(&format!("signature_method = \"{method}\""))
        );
        assert!(ended.stdout.contains("key.pem\"") && !ended.stdout.contains("consumer_secret"));
        let line_of_key = pem.lines().nth(3).unwrap();
        assert!(!ended.stdout.contains(line_of_key));
    }
}

#[test]
fn what_is_no_usable_key_is_refused_with_the_key_of_the_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let pem = rsa_key();
    let elliptic = Certificate::self_signed();
    let relabelled = pem.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let damaged = pem.replacen(pem.lines().nth(2).unwrap(), "S3NTINEL", 1);
    let files = [
        ("S3NTINEL", "holds no key in PEM"),
        (relabelled.as_str(), "holds an encrypted key"),
        (&elliptic.key_pem, "need an RSA private key"),
        (&elliptic.pem, "holds a certificate"),
        (&damaged, "holds a damaged RSA private key"),
        ("", "holds no key in PEM"),
    ];
    for (content, said) in files {
        for method in METHODS {
            let ended = check(method, directory.path(), content);
            assert_eq!(ended.code, Some(78));
            let expected = "undersign: proxy.default.private_key_file (UNDERSIGN_PROXY__DEFAULT__PRIVATE_KEY_FILE): ";
            assert!(ended.stderr.starts_with(expected), "{}", ended.stderr);
            assert!(ended.stderr.contains(said), "{}", ended.stderr);
            assert!(!ended.stderr.contains("S3NTINEL"), "{}", ended.stderr);
            assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        }
    }
}

#[test]
fn a_key_that_others_may_read_is_refused_with_the_command_to_run() {
    let directory = tempfile::tempdir().unwrap();
    let key = write_secret(directory.path(), "key.pem", &rsa_key());
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let ended = check_file("RSA-SHA256", directory.path(), &key);
    assert_eq!(ended.code, Some(78));
    assert!(ended.stderr.contains("chmod 600"), "{}", ended.stderr);
}

#[test]
fn a_method_without_its_key_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for method in METHODS {
        let ended = check_file(method, directory.path(), Path::new(""));
        assert_eq!(ended.code, Some(78));
        let expected = "undersign: proxy.default.private_key_file (UNDERSIGN_PROXY__DEFAULT__PRIVATE_KEY_FILE): is missing";
        assert!(ended.stderr.starts_with(expected), "{}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    }
}
