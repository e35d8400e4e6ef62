//! Each kind of fault, by its key and place, and never with the value.

use std::{ffi::OsString, fs, os::unix::ffi::OsStringExt as _};

use undersign::{
    config::{Flags, load},
    env::Environment,
};

use crate::{CHECKS, PROXY, Setup};

/// Lines of `[proxy.aps]`, with `;;` between them: the last one is wrong. Then the key, and a part of what is said.
const WRONG_VALUES: &str = r#"
# Unknown keys.
lisen = 'S3NTINEL' => lisen => did you mean listen?
colour = 'S3NTINEL' => colour => is unknown
consumer_secret = 'S3NTINEL' => consumer_secret => consumer_secret_file, consumer_secret_env or
token_secret = 'S3NTINEL' => token_secret => token_secret_file
access.client_token = 'S3NTINEL' => access.client_token => client_token_file
tls.trusts = 'S3NTINEL' => tls.trusts => did you mean trust?
timeout = { connect = 'S3NTINEL' } => timeout => did you mean timeouts?
# Wrong types.
token = 5 => token => in quotes
token = 2026-01-01 => token => in quotes
token = ['S3NTINEL'] => token => in quotes
tls = 'S3NTINEL' => tls => must be a table
body_hash = 'S3NTINEL' => body_hash => true or false
allow_nonlocal_listen = 1.5 => allow_nonlocal_listen => true or false
passthrough_headers = true => passthrough_headers => must be a list
passthrough_headers = 'S3NTINEL' => passthrough_headers => must be a list of texts
passthrough_headers = [1] => passthrough_headers[0] => in quotes
tls.pin_sha256 = 'S3NTINEL' => tls.pin_sha256 => must be a list of texts
access.allowed_hosts = 'S3NTINEL' => access.allowed_hosts => must be a list of texts
access.allowed_origins = 'S3NTINEL' => access.allowed_origins => must be a list of texts
access.allowed_uids = 'S3NTINEL' => access.allowed_uids => must be a list of numbers
access.allowed_uids = ['1000'] => access.allowed_uids[0] => without quotes
access.allowed_uids = 1000 => access.allowed_uids => must be a list of numbers
access.allow = [{ path = '/', methods = 'GET' }] => access.allow[0].methods => must be a list of texts
token = '' ;; token_secret_command = 'echo S3NTINEL' => token_secret_command => must be a list of texts
token = 99999999999999999999 => token => in quotes
body_hash = 'true' => body_hash => without quotes
limits.connections = '5' => limits.connections => without quotes
access.allow = 'S3NTINEL' => access.allow => list of tables
access.allow = ['S3NTINEL'] => access.allow[0] => must be a table
# Addresses.
listen = 'S3NTINEL' => listen => is no address
listen = ':8080' => listen => 127.0.0.1:PORT
listen = '8080' => listen => 127.0.0.1:PORT
listen = 8080 => listen => must be an address in quotes
listen = [8080] => listen[0] => must be an address in quotes
listen = 'unix:S3NTINEL' => listen => absolute path
listen = '0.0.0.0:1' => listen => --allow-nonlocal-listen
listen = ['127.0.0.1:1', '[::]:2'] => listen[1] => --allow-nonlocal-listen
listen = [] => listen => at least one
listen = ['127.0.0.1:1', 'localhost:1'] => listen[1] => same address as proxy.aps.listen[0]
listen = ['unix:/a', 'unix:/a'] => listen[1] => same address
tls.dial = 'S3NTINEL' => tls.dial => port
tls.server_name = 'S3NTINEL:443' => tls.server_name => host
# Signing.
token = "S3NTINEL\n" => token => control characters
realm = "S3NTINEL\u0007" => realm => control characters
signature_method = 'S3NTINEL' => signature_method => HMAC-SHA1
private_key_file = '/S3NTINEL' ;; signature_method = 'RSA-SHA-256' => signature_method => RSA-SHA256
signature_method = 'RSA-SHA1' ;; private_key_file = '/S3NTINEL' => private_key_file => cannot be read
signature_method = 'RSA-SHA512' ;; private_key_file = '/' => private_key_file => regular file
private_key_file = '/S3NTINEL' => private_key_file => choose RSA-SHA1
signature_method = 'PLAINTEXT' ;; private_key_file = '/S3NTINEL' => private_key_file => choose RSA-SHA1
body_hash = 'S3NTINEL' => body_hash => true
query_plus = 'S3NTINEL' => query_plus => "space" or "literal"
inbound_authorization = 'S3NTINEL' => inbound_authorization => "reject"
passthrough_headers = ['S3NTINEL:'] => passthrough_headers[0] => header field
# Secrets.
token_secret_env = 'APS_SECRET' => token_secret_env => without its token
token = '' ;; token_secret_env = 'S3NTINEL' => token_secret_env => not set
token = '' ;; token_secret_file = '/S3NTINEL' => token_secret_file => cannot be read
token = '' ;; token_secret_file = '/' => token_secret_file => regular file
token = '' ;; token_secret_command = ['/S3NTINEL'] => token_secret_command[0] => cannot be run
token = '' ;; token_secret_command = ['/bin/sh', '-c', 'echo S3NTINEL && exit 7'] => token_secret_command[0] => exit status: 7
consumer_secret_file = '/S3NTINEL' => consumer_secret_env => beside proxy.aps.consumer_secret_file
access.client_token_file = '/S3NTINEL' => access.client_token_file => cannot be read
# TLS.
tls.trust = 'S3NTINEL' => tls.trust => "self-signed"
tls.pin_sha256 = ['S3NTINEL'] => tls.pin_sha256[0] => base64
tls.client_certificate_file = 'S3NTINEL' => tls.client_certificate_file => client_key_file
tls.ca_file = '/S3NTINEL' => tls.ca_file => can't be read
tls.ca_file = '/' => tls.ca_file => no regular file
tls.client_key_file = 'S3NTINEL' => tls.client_key_file => client_certificate_file
# Access.
access.allowed_hosts = ['S3NTINEL/'] => access.allowed_hosts[0] => host
access.allowed_origins = ['S3NTINEL'] => access.allowed_origins[0] => scheme://host
access.allowed_uids = ['S3NTINEL'] => access.allowed_uids[0] => number
access.allowed_uids = [-1] => access.allowed_uids[0] => number
access.allow = [{ path = 'S3NTINEL' }] => access.allow[0].path => begin with /
access.allow = [{ path = '/S3NTINEL/%2a' }] => access.allow[0].path => decoded
access.allow = [{ path = '/S3NTINEL//a' }] => access.allow[0].path => no request
access.allow = [{ path = '/S3NTINEL/../a' }] => access.allow[0].path => no request
access.allow = [{ path = '/./S3NTINEL' }] => access.allow[0].path => no request
access.allow = [{ path = '/S3NTINEL;a' }] => access.allow[0].path => no request
access.allow = [{ path = '/S3NTINEL?a=b' }] => access.allow[0].path => no request
access.allow = [{ path = '/S3NTINEL#a' }] => access.allow[0].path => no request
access.allow = [{ path = '/S3NTINEL\a' }] => access.allow[0].path => no request
access.allow = [{ methods = ['GET'] }] => access.allow[0].path => is missing
access.allow = [{ path = '/', methods = ['get'] }] => access.allow[0].methods[0] => capitals
# Durations and limits.
timeouts.connect = 'S3NTINEL' => timeouts.connect => is no duration
timeouts.connect = 5 => timeouts.connect => is no duration
timeouts.idle = '0s' => timeouts.idle => between 1ms and 1day
timeouts.idle = '2 years' => timeouts.idle => between 1ms and 1day
limits.connections = 0 => limits.connections => from 1 to
limits.connections = 99999999999999999999 => limits.connections => from 1 to
limits.header_bytes = '1KiB' => limits.header_bytes => between 8KiB and 16MiB
limits.form_bytes = 'S3NTINEL' => limits.form_bytes => is no size
limits.form_bytes = -1 => limits.form_bytes => is no size
"#;

#[test]
fn a_wrong_value_is_told_by_key_and_line_and_never_shown() {
    let cases = WRONG_VALUES
        .lines()
        .filter(|case| !case.is_empty() && !case.starts_with('#'));
    for case in cases {
        let [lines, key, problem] = case.split(" => ").collect::<Vec<_>>()[..] else {
            panic!("{case}");
        };
        let lines = lines.replace(" ;; ", "\n");
        // Of two secrets that exclude each other, the one in `PROXY` is told.
        let line = if key == "consumer_secret_env" {
            4
        } else {
            4 + lines.lines().count()
        };
        check(&lines, &format!("proxy.aps.{key}"), line, problem);
    }
}

#[test]
fn a_wrong_table_is_told_by_key_and_line_and_never_shown() {
    let cases = [
        (
            "[logs]\nformat = 'S3NTINEL'",
            "logs",
            5,
            "did you mean log?",
        ),
        (
            "[log]\nformat = 'S3NTINEL'",
            "log.format",
            6,
            "\"text\" or \"json\"",
        ),
        (
            "[log]\nformats = 'S3NTINEL'",
            "log.formats",
            6,
            "did you mean format?",
        ),
        (
            "[log]\nfile = '/S3NTINEL/exchanges.log'",
            "log.file",
            6,
            "can't write to this file: No such file",
        ),
        (
            "[log]\nfile = '/'",
            "log.file",
            6,
            "can't write to this file: Is a directory",
        ),
        (
            "[log]\nfile = '/dev/null/S3NTINEL'",
            "log.file",
            6,
            "can't write to this file: Not a directory",
        ),
        (
            "[admin]\nlisten = 'S3NTINEL'",
            "admin.listen",
            6,
            "is no address",
        ),
        (
            "[admin]\nlisten = '0.0.0.0:1'",
            "admin.listen",
            6,
            "admin.allow_nonlocal_listen",
        ),
        (
            "[admin]\nlisten = '127.0.0.1:8080'",
            "proxy.aps.listen",
            1,
            "same address as admin.listen",
        ),
        (
            "[proxy.'a b']\nupstream = 'https://a'\nconsumer_key = 'k'\nconsumer_secret_env = 'APS_SECRET'\nlisten = 'unix:/b'",
            "proxy.a b",
            5,
            "is no name",
        ),
    ];
    for (lines, key, line, problem) in cases {
        check(lines, key, line, problem);
    }
}

#[test]
fn a_wrong_upstream_is_never_shown() {
    for (upstream, problem) in [
        ("https://user:S3NTINEL@up.example", "user name or password"),
        ("https://S3NTINEL@up.example", "user name or password"),
        ("https://up.example/S3NTINEL", "after host and port"),
        ("https://up.example?S3NTINEL", "after host and port"),
        ("https://up.example:S3NTINEL", "port"),
        ("S3NTINEL", "https://"),
        ("http://S3NTINEL", "--allow-plaintext-upstream"),
    ] {
        let toml = PROXY.replace("https://up.example", upstream);
        Setup::new(&toml).check("proxy.aps.upstream", "undersign.toml:2", problem);
    }
}

#[test]
fn what_is_missing_is_told_with_where_to_give_it() {
    for (key, line, problem) in [
        ("upstream", 2, "--upstream"),
        ("consumer_key", 3, "--consumer-key"),
        ("consumer_secret", 4, "UNDERSIGN_CONSUMER_SECRET"),
    ] {
        let toml: Vec<_> = PROXY.lines().collect();
        let toml = [&toml[..line - 1], &toml[line..]].concat().join("\n");
        Setup::new(&toml).check(&format!("proxy.aps.{key}"), "undersign.toml:1", problem);
    }
    // With a key for RSA, a method that can't be read is the only fault: which it was meant to be is clear.
    let key = PROXY.replace(
        "consumer_secret_env = 'APS_SECRET'",
        "signature_method = 'RSA-SHA-256'\nprivate_key_file = '/S3NTINEL'",
    );
    let expected = "RSA-SHA256";
    Setup::new(&key).check("proxy.aps.signature_method", "undersign.toml:4", expected);
    let misplaced = PROXY.replace(
        "consumer_secret_env = 'APS_SECRET'",
        "consumer_secret = 'S3NTINEL'",
    );
    Setup::new(&misplaced).check(
        "proxy.aps.consumer_secret",
        "undersign.toml:4",
        "is unknown",
    );
    Setup::new("").check("proxy", "", "no proxy is described");
}

#[test]
fn all_faults_are_reported_together_in_order() {
    let setup = Setup::new(
        "[log]\nformat = 'x'\n[proxy.b]\nlisten = ['x', 'y']\n[proxy.a]\nupstream = 'x'\ncolour = 1\ntimeouts.idle = 'x'\n",
    )
    .variable("UNDERSIGN_PROXY__A__LIMITS__CONNECTIONS", "many")
    .flags(|flags| flags.admin_listen = Some("x".to_owned()));
    let faults = setup.faults();
    let keys: Vec<_> = faults.iter().map(|fault| fault.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "admin.listen",
            "log.format",
            "proxy.a.colour",
            "proxy.a.consumer_key",
            "proxy.a.consumer_secret",
            "proxy.a.limits.connections",
            "proxy.a.timeouts.idle",
            "proxy.a.upstream",
            "proxy.b.consumer_key",
            "proxy.b.consumer_secret",
            "proxy.b.listen[0]",
            "proxy.b.listen[1]",
            "proxy.b.upstream",
        ]
    );
    let text = faults.to_string();
    assert_eq!(text.lines().count(), keys.len());
    assert!(
        text.starts_with("admin.listen (--admin-listen): is no address"),
        "{text}"
    );
    assert!(
        text.contains("connections (UNDERSIGN_PROXY__A__LIMITS__CONNECTIONS): must be"),
        "{text}"
    );
}

#[test]
fn a_private_key_that_is_of_no_use_does_not_stand_for_the_secret() {
    for method in ["", "signature_method = 'HMAC-SHA256'\n"] {
        let key = format!("private_key_file = '/S3NTINEL'\n{method}");
        let faults =
            Setup::new(&PROXY.replace("consumer_secret_env = 'APS_SECRET'\n", &key)).faults();
        let keys: Vec<_> = faults.iter().map(|fault| fault.key.as_str()).collect();
        assert_eq!(
            keys,
            ["proxy.aps.consumer_secret", "proxy.aps.private_key_file"],
            "{faults}"
        );
    }
}

/// Files of certificates are for others to judge, who are asked whatever else is wrong.
#[test]
fn no_fault_hides_those_of_certificates_and_of_the_log() {
    let tls = "ca_file = '/S3NTINEL'\nclient_certificate_file = '/S3NTINEL'\nclient_key_file = '/S3NTINEL'\n";
    let setup = Setup::new(&format!(
        "[log]\nfile = '/S3NTINEL/log'\n[proxy.a]\nconsumer_secret_file = '/S3NTINEL'\nlisten = 'unix:/a'\n\
         [proxy.a.tls]\n{tls}{PROXY}timeouts.idle = 'x'\n[proxy.aps.tls]\n{tls}[proxy.plain]\nupstream = 'http://a'\n\
         [proxy.plain.tls]\n{tls}"
    ));
    let faults = setup.faults();
    assert!(!format!("{faults}{faults:?}").contains("S3NTINEL"));
    let found = faults.iter().map(|fault| {
        let (_, line) = fault.origin.as_deref().unwrap().rsplit_once(':').unwrap();
        (fault.key.as_str(), line)
    });
    assert_eq!(
        found.collect::<Vec<_>>(),
        [
            ("log.file", "2"),
            ("proxy.a.consumer_key", "3"),
            ("proxy.a.consumer_secret_file", "4"),
            ("proxy.a.tls.ca_file", "7"),
            ("proxy.a.tls.client_certificate_file", "8"),
            ("proxy.a.tls.client_key_file", "9"),
            ("proxy.a.upstream", "3"),
            ("proxy.aps.timeouts.idle", "14"),
            ("proxy.aps.tls.ca_file", "16"),
            ("proxy.aps.tls.client_certificate_file", "17"),
            ("proxy.aps.tls.client_key_file", "18"),
            ("proxy.plain.consumer_key", "19"),
            ("proxy.plain.consumer_secret", "19"),
            ("proxy.plain.listen", "19"),
            ("proxy.plain.tls.ca_file", "22"),
            ("proxy.plain.tls.client_certificate_file", "23"),
            ("proxy.plain.tls.client_key_file", "24"),
            ("proxy.plain.upstream", "20"),
        ]
    );
}

#[test]
fn a_log_file_is_checked_without_being_made_or_changed() {
    let setup = Setup::new(PROXY);
    let (absent, present) = (
        setup.directory.path().join("new.log"),
        setup.file("old.log", "a line\n", 0o600),
    );
    for file in [absent.to_str().unwrap(), &present] {
        let flags = Flags {
            log_file: Some(file.to_owned()),
            ..setup.flags.clone()
        };
        let environment = setup.variables.iter().cloned().collect();
        load(&flags, &environment, CHECKS).unwrap();
    }
    assert!(!absent.exists());
    assert_eq!(fs::read_to_string(present).unwrap(), "a line\n");
}

#[test]
fn a_wrong_proxy_is_one_fault() {
    Setup::new("proxy = 'S3NTINEL'").check("proxy", "undersign.toml:1", "must be a table");
    Setup::new("proxy.aps = 'S3NTINEL'").check("proxy.aps", "undersign.toml:1", "must be a table");
    let two = format!("{PROXY}{}", PROXY.replace("aps", "other"));
    Setup::new(&two).check(
        "proxy.other.listen",
        "undersign.toml:5",
        "same address as proxy.aps.listen",
    );
}

#[test]
fn the_file_itself_is_checked() {
    let setup = Setup::new("[proxy.aps]\nupstream = 'S3NTINEL\n");
    setup.check("config", "undersign.toml:2:21", "is not valid TOML");
    let setup = Setup::new("[proxy.aps]\nrealm = 'S3NTINEL'\nrealm = 'S3NTINEL'\n");
    setup.check("config", "undersign.toml:3:1", "given twice");

    for (path, problem) in [
        (
            "nowhere.toml",
            "the file nowhere.toml cannot be read (No such file",
        ),
        ("/", "the file / cannot be read (Is a directory"),
        // Nothing is there, and it is not named like such a file, so it may be a secret.
        ("S3NTINEL", "the file cannot be read (No such file"),
        ("/S3NTINEL", "the file cannot be read (No such file"),
    ] {
        let setup = Setup::new(PROXY).flags(|flags| flags.config = Some(path.to_owned()));
        setup.check("config", "--config", problem);
        let setup = Setup::new(PROXY)
            .flags(|flags| flags.config = None)
            .variable("UNDERSIGN_CONFIG", path);
        setup.check("config", "UNDERSIGN_CONFIG", problem);
    }
}

#[test]
fn each_fault_names_the_variable_or_flag_it_came_from() {
    let nested = |name: &str, value: &str| Setup::new(PROXY).variable(name, value);
    nested("UNDERSIGN_PROXY__APS__TIMEOUTS__CONNECT", "S3NTINEL").check(
        "proxy.aps.timeouts.connect",
        "UNDERSIGN_PROXY__APS__TIMEOUTS__CONNECT",
        "is no duration",
    );
    nested("UNDERSIGN_PROXY__APS__CONSUMER_SECRET", "S3NTINEL").check(
        "proxy.aps.consumer_secret",
        "UNDERSIGN_PROXY__APS__CONSUMER_SECRET",
        "consumer_secret_env",
    );
    nested("UNDERSIGN_CONSUMER_KEY", "S3NTINEL\t").check(
        "proxy.aps.consumer_key",
        "UNDERSIGN_CONSUMER_KEY",
        "control characters",
    );
    nested("UNDERSIGN_PROXY__APS__CONSUMER_KEY", "").check(
        "proxy.aps.consumer_key",
        "UNDERSIGN_PROXY__APS__CONSUMER_KEY",
        "must not be empty",
    );
    nested("UNDERSIGN_PROXI__APS__LISTEN", "S3NTINEL").check(
        "proxi",
        "UNDERSIGN_PROXI__APS__LISTEN",
        "mean proxy?",
    );
    nested("UNDERSIGN_PROXY__APS", "S3NTINEL").check(
        "UNDERSIGN_PROXY__APS",
        "",
        "UNDERSIGN_PROXY__NAME__KEY",
    );
    nested("UNDERSIGN_LISTEN", "S3NTINEL").check(
        "proxy.aps.listen",
        "UNDERSIGN_LISTEN",
        "is no address",
    );
    nested("UNDERSIGN_TRUST_SELF_SIGNED", "S3NTINEL").check(
        "proxy.aps.tls.trust",
        "UNDERSIGN_TRUST_SELF_SIGNED",
        "true or false",
    );
    nested("UNDERSIGN_ALLOW_NONLOCAL_LISTEN", "S3NTINEL").check(
        "proxy.aps.allow_nonlocal_listen",
        "UNDERSIGN_ALLOW_NONLOCAL_LISTEN",
        "true or false",
    );
    Setup::new(PROXY)
        .flags(|flags| flags.upstream = Some("https://user:S3NTINEL@up.example".to_owned()))
        .check("proxy.aps.upstream", "--upstream", "password");
}

#[test]
fn a_variable_that_is_no_text_is_a_fault() {
    let value = OsString::from_vec(b"S3NTINEL\xff".to_vec());
    for name in [
        "UNDERSIGN_LISTEN",
        "UNDERSIGN_PROXY__APS__LISTEN",
        "UNDERSIGN_CONFIG",
    ] {
        let setup = Setup::new(PROXY);
        let environment =
            Environment::from_iter([("APS_SECRET", "secret".into()), (name, value.clone())]);
        let faults = load(&setup.flags, &environment, CHECKS).unwrap_err();
        let expected = format!("{name}: is not valid UTF-8: write it in UTF-8, or unset it");
        assert_eq!(faults.to_string(), expected);
    }
}

/// The faults of a file that holds a sound proxy, and these lines after it.
#[track_caller]
fn check(lines: &str, key: &str, line: usize, problem: &str) {
    Setup::new(&format!("{PROXY}{lines}\n")).check(key, &format!("undersign.toml:{line}"), problem);
}
