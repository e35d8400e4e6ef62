//! Where secrets are taken from, and where not.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::PathBuf,
};

use rcgen::generate_simple_self_signed;
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use crate::{PROXY, Setup};

#[test]
fn a_secret_file_must_be_fit_for_a_secret() {
    for (content, mode, problem) in [
        (&b"S3NTINEL"[..], 0o640, "run chmod 600 "),
        (b"S3NTINEL", 0o604, "run chmod 600 "),
        (b"", 0o600, "holds nothing"),
        (b"\n", 0o600, "holds nothing"),
        (b"S3NTINEL\nS3NTINEL", 0o600, "control character"),
        (b"S3NTINEL\xff", 0o600, "not valid UTF-8"),
        (&[b'a'; 65_537], 0o600, "more than 64 KiB"),
    ] {
        let setup = Setup::new(&PROXY.replace("_env = 'APS_SECRET'", "_file = ''"));
        let path = setup.file("a-secret", content, mode);
        let setup = setup.flags(|flags| flags.consumer_secret_file = Some(path.clone()));
        setup.check(
            "proxy.aps.consumer_secret_file",
            "--consumer-secret-file",
            problem,
        );
        if mode != 0o600 {
            assert!(
                setup
                    .faults()
                    .to_string()
                    .ends_with(&format!("chmod 600 {path}"))
            );
        }
    }
}

#[test]
fn the_key_of_a_client_certificate_must_be_its_owners_alone() {
    let issued = generate_simple_self_signed(["client.example".to_owned()]).unwrap();
    let setup = |mode| {
        let setup = Setup::new(PROXY);
        let certificate = setup.file("certificate.pem", issued.cert.pem(), 0o644);
        let key = setup.file("key.pem", issued.signing_key.serialize_pem(), mode);
        let tls = format!(
            "[proxy.aps.tls]\nclient_certificate_file = '{certificate}'\nclient_key_file = '{key}'"
        );
        let toml = format!("{PROXY}{tls}");
        fs::write(setup.directory.path().join("undersign.toml"), toml).unwrap();
        setup
    };
    setup(0o600).config();
    setup(0o644).check("proxy.aps.tls.client_key_file", ":7", "run chmod 600 ");
}

#[test]
fn a_kubernetes_secret_volume_may_be_readable_by_others() {
    // Needs a file system in memory that a test may write to.
    let Ok(volume) = TempDir::new_in("/dev/shm") else {
        return;
    };
    let data = volume.path().join("..2026");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("secret"), "mounted").unwrap();
    fs::set_permissions(data.join("secret"), fs::Permissions::from_mode(0o644)).unwrap();
    symlink("..2026", volume.path().join("..data")).unwrap();
    symlink("..data/secret", volume.path().join("secret")).unwrap();
    let load_from = |path: PathBuf| {
        Setup::new(PROXY)
            .flags(|flags| flags.consumer_secret_file = Some(path.to_str().unwrap().to_owned()))
            .load()
    };
    assert!(load_from(data.join("secret")).is_err());
    let config = load_from(volume.path().join("secret")).unwrap();
    assert_eq!(
        config.proxies[0]
            .credentials
            .consumer_secret
            .expose_secret(),
        "mounted"
    );
}

#[test]
fn a_command_gives_a_secret_and_sees_no_other() {
    let script =
        "test -z \"$APS_SECRET$UNDERSIGN_TOKEN$MY_TOKEN_SECRET\" && printf '%s\\n' \"$VAULT\"";
    let toml = format!(
        "{}token_secret_env = 'MY_TOKEN_SECRET'\n[proxy.other]\nlisten = 'unix:/a'\nupstream = 'https://a'\nconsumer_key = 'k'\nconsumer_secret_command = ['/bin/sh', '-c', '''{script}''']\n",
        PROXY.replace("[proxy.aps]", "[proxy.default]")
    );
    let config = Setup::new(&toml)
        .variable("MY_TOKEN_SECRET", "token secret")
        .variable("UNDERSIGN_TOKEN", "token")
        .variable("VAULT", "from the vault")
        .config();
    assert_eq!(
        config.proxies[1]
            .credentials
            .consumer_secret
            .expose_secret(),
        "from the vault"
    );
}

#[test]
fn a_path_may_begin_with_the_directory_of_systemds_credentials() {
    let proxy = PROXY.replace(
        "_env = 'APS_SECRET'",
        "_file = '${CREDENTIALS_DIRECTORY}/aps'",
    );
    let access = "[proxy.aps.access]\nclient_token_file = '${CREDENTIALS_DIRECTORY}/token'\n";
    let setup = Setup::new(&format!("{proxy}{access}"));
    setup.file("aps", "the credential", 0o400);
    setup.file("token", "the token", 0o400);
    let directory = setup.directory.path().to_str().unwrap().to_owned();
    let config = setup.variable("CREDENTIALS_DIRECTORY", &directory).config();
    let proxy = &config.proxies[0];
    assert_eq!(
        proxy.credentials.consumer_secret.expose_secret(),
        "the credential"
    );
    let token = proxy.access.client_token.as_ref().unwrap();
    assert_eq!(token.expose_secret(), "the token");
}

#[test]
fn a_path_with_a_variable_that_is_not_replaced_is_a_fault() {
    for (path, directory, problem) in [
        ("${CREDENTIALS_DIRECTORY}/aps", None, "LoadCredential="),
        ("${CREDENTIALS_DIRECTORY}/aps", Some(""), "LoadCredential="),
        ("$CREDENTIALS_DIRECTORY/aps", Some("/"), "no other variable"),
        (
            "${CREDENTIALS_DIRECTORY}aps",
            Some("/"),
            "no other variable",
        ),
        ("$S3NTINEL/aps", Some("/"), "no other variable"),
        ("${HOME}/S3NTINEL", Some("/"), "no other variable"),
    ] {
        let proxy = PROXY.replace("_env = 'APS_SECRET'", &format!("_file = '{path}'"));
        let mut setup = Setup::new(&proxy).variable("HOME", "/");
        if let Some(directory) = directory {
            setup = setup.variable("CREDENTIALS_DIRECTORY", directory);
        }
        setup.check("proxy.aps.consumer_secret_file", ":4", problem);
    }
}
