//! Commands that end: whatever is wrong with a configuration or a command line, a secret in it stays hidden.

use std::{fs, path::Path};

use tempfile::TempDir;

use crate::{
    sentinels::{Sentinels, plain_secret},
    support::{command::undersign_reading, setup::write_secret},
};

/// A proxy that lacks its secret alone.
const PROXY: &str =
    "[proxy.aps]\nlisten = '127.0.0.1:0'\nupstream = 'https://up.invalid'\nconsumer_key = 'key'\n";

/// A directory with the file `secret`, and the sentinel that is in it.
struct Stand {
    directory: TempDir,
    secret: String,
    sentinels: Sentinels,
}

impl Stand {
    fn new() -> Self {
        let secret = plain_secret();
        let mut sentinels = Sentinels::default();
        sentinels.plant("the secret", &secret);
        let directory = tempfile::tempdir().unwrap();
        write_secret(directory.path(), "secret", &secret);
        Self {
            directory,
            secret,
            sentinels,
        }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Runs the program with the sentinel in place of each `$ECRET`; it has to fail.
    #[track_caller]
    fn fails(&self, words: &[&str], variables: &[(&str, &str)], input: &str) {
        let put = |text: &str| text.replace("$ECRET", &self.secret);
        let words: Vec<_> = words.iter().map(|word| put(word)).collect();
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, value)| (*name, put(value)))
            .collect();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let ended = undersign_reading(self.path(), &words, &variables, put(input).as_bytes());
        let place = format!("{words:?} {variables:?}").replace(&self.secret, "$ECRET");
        self.sentinels
            .check(&place, format!("{}\n{}", ended.stdout, ended.stderr));
        assert!(
            ended.code.is_some_and(|code| code != 0),
            "{place}: {ended:?}"
        );
    }
}

#[test]
fn a_secret_in_the_wrong_key_stays_hidden() {
    let stand = Stand::new();
    let secret = "consumer_secret_file = 'secret'";
    let wrong_keys =
        "consumer_secret token_secret secret password consumer_secret_fil private_key api_key";
    let mut cases: Vec<_> = wrong_keys
        .split(' ')
        .flat_map(|key| {
            [
                format!("{secret}\n{key} = '$ECRET'"),
                format!("{key} = '$ECRET'"),
            ]
        })
        .collect();
    let keys = "consumer_secret_file consumer_secret_env token_secret_file token_secret_env private_key_file \
                signature_method query_plus inbound_authorization body_hash allow_nonlocal_listen listen upstream \
                tls access timeouts limits";
    cases.extend(keys.split_whitespace().map(|key| {
        let rest = if key.starts_with("consumer_secret") {
            ""
        } else {
            secret
        };
        let token = if key.starts_with("token") {
            "token = 't'"
        } else {
            ""
        };
        format!("{rest}\n{token}\n{key} = '$ECRET'")
    }));
    for lines in [
        "tls.ca_file = '$ECRET'",
        "tls.client_certificate_file = '$ECRET'\ntls.client_key_file = 'secret'",
        "tls.client_certificate_file = 'secret'\ntls.client_key_file = '$ECRET'",
        "tls.client_key_file = '$ECRET'",
        "tls.trust = '$ECRET'",
        "tls.pin_sha256 = ['$ECRET']",
        "tls.dial = '$ECRET'",
        "tls.password = '$ECRET'",
        "access.client_token_file = '$ECRET'",
        "access.client_token = '$ECRET'",
        "access.allowed_uids = ['$ECRET']",
        "access.allowed_origins = ['$ECRET']",
        "access.allow = ['$ECRET']",
        "access.allow = [{ path = '$ECRET' }]",
        "access.allow = [{ path = '/', methods = ['$ECRET '] }]",
        "timeouts.connect = '$ECRET'",
        "limits.form_bytes = '$ECRET'",
        "limits.connections = '$ECRET'",
        "consumer_secret_env = '$ECRET'",
        "passthrough_headers = ['$ECRET: x']",
        "upstream = 'https://user:$ECRET@up.invalid'",
        "upstream = 'https://$ECRET@up.invalid'",
        "upstream = 'https://up.invalid/$ECRET'",
        "upstream = 'https://up.invalid?secret=$ECRET'",
        "listen = '127.0.0.1:$ECRET'",
        "token_secret_file = 'secret'",
        // Files with a secret that are meant to be something else.
        "private_key_file = 'secret'\nsignature_method = 'RSA-SHA1'",
        "tls.ca_file = 'secret'",
    ] {
        cases.push(format!("{secret}\n{lines}"));
    }
    for command in [
        "['$ECRET']",
        "['/bin/sh', '-c', 'exit 3 # $ECRET']",
        "['/bin/sh', '-c', 'cat secret; cat secret >&2; exit 1']",
        "['/bin/sh', '-c', 'cat secret; echo; cat secret']",
        "'$ECRET'",
    ] {
        cases.push(format!("consumer_secret_command = {command}"));
    }
    for lines in cases {
        // A key that the template has as well is the one that is wrong.
        let is_given = |line: &&str| {
            let key = line.split(' ').next().unwrap_or_default();
            !lines
                .lines()
                .any(|other| other.starts_with(&format!("{key} =")))
        };
        let proxy: Vec<_> = PROXY.lines().filter(is_given).collect();
        let toml = format!("{}\n{lines}\n", proxy.join("\n")).replace("$ECRET", &stand.secret);
        fs::write(stand.path().join("undersign.toml"), toml).unwrap();
        for word in ["check", "run"] {
            stand.fails(&[word], &[], "");
        }
    }
}

#[test]
fn a_secret_in_a_file_that_is_no_toml_stays_hidden() {
    let stand = Stand::new();
    for text in [
        "consumer_secret = '$ECRET",
        "consumer_secret = \"$ECRET",
        "consumer_secret = $ECRET",
        "consumer_secret '$ECRET'",
        "consumer_secret: $ECRET",
        "$ECRET",
        "consumer_secret = '$ECRET' x",
        "consumer_secret = '$ECRET'\nconsumer_secret = '$ECRET'",
        "consumer_secret = \"\\$ECRET\"",
        "consumer_secret = ['$ECRET'",
        "consumer_secret = {a = '$ECRET'",
        "consumer_key = '$ECRET' = 1",
        "[proxy.aps.'$ECRET",
        "upstream = https://user:$ECRET@up.invalid",
    ] {
        for text in [format!("{PROXY}{text}\n"), text.to_owned()] {
            let toml = text.replace("$ECRET", &stand.secret);
            fs::write(stand.path().join("undersign.toml"), toml).unwrap();
            for words in [
                &["check"][..],
                &["run"],
                &["sign", "GET", "/x"],
                &["verify", "GET", "/x"],
            ] {
                stand.fails(words, &[], "");
            }
        }
    }
    // A file that is a secret, and nothing else.
    stand.fails(&["check", "--config", "secret"], &[], "");
    stand.fails(&["run"], &[("UNDERSIGN_CONFIG", "secret")], "");
}

#[test]
fn a_secret_in_a_flag_or_variable_stays_hidden() {
    let stand = Stand::new();
    let flags = ["--upstream=https://up.invalid", "--consumer-key=key"];
    let with_secret = [&flags[..], &["--consumer-secret-file=secret"]].concat();
    for word in [
        "--consumer-secret=$ECRET",
        "--token-secret=$ECRET",
        "--password=$ECRET",
        "--listen=$ECRET",
        "--listen=unix:$ECRET",
        "--upstream=$ECRET",
        "--upstream=https://user:$ECRET@up.invalid",
        "--upstream=https://up.invalid/$ECRET",
        "--consumer-secret-file=$ECRET",
        "--token-secret-file=$ECRET",
        "--config=$ECRET",
        "--admin-listen=$ECRET",
        "--log-format=$ECRET",
        "--log-file=$ECRET/log",
        "--trust-self-signed=$ECRET",
        "$ECRET",
    ] {
        stand.fails(&[&["run"][..], &with_secret, &[word]].concat(), &[], "");
        if let Some((flag, value)) = word.split_once('=') {
            stand.fails(
                &[&["run"][..], &with_secret, &[flag, value]].concat(),
                &[],
                "",
            );
            stand.fails(&[&["check", flag][..], &[value, "x"]].concat(), &[], "");
        }
    }
    for words in [
        &["$ECRET"][..],
        &["healthcheck", "--admin-listen", "$ECRET"],
        &["healthcheck", "$ECRET"],
        &["completions", "$ECRET"],
        &["demo", "--listen", "$ECRET"],
        &["demo", "$ECRET"],
        &["man", "$ECRET"],
    ] {
        stand.fails(words, &[], "");
    }
    for (name, value) in [
        ("UNDERSIGN_CONSUMER_SECRET", "$ECRET\n$ECRET"),
        ("UNDERSIGN_CONSUMER_SECRET", "$ECRET\u{7}"),
        ("UNDERSIGN_CONSUMER_SECRET_FILE", "$ECRET"),
        ("UNDERSIGN_TOKEN_SECRET", "$ECRET"),
        ("UNDERSIGN_PROXY__DEFAULT__CONSUMER_SECRET", "$ECRET"),
        ("UNDERSIGN_PROXY__DEFAULT__CONSUMER_SECRET_ENV", "$ECRET"),
        (
            "UNDERSIGN_PROXY__DEFAULT__CONSUMER_SECRET_COMMAND",
            "$ECRET",
        ),
        ("UNDERSIGN_PROXY__DEFAULT__TIMEOUTS__CONNECT", "$ECRET"),
        ("UNDERSIGN_PROXY__", "$ECRET"),
        ("UNDERSIGN_LISTEN", "$ECRET"),
        ("UNDERSIGN_UPSTREAM", "https://user:$ECRET@up.invalid"),
        ("UNDERSIGN_LOG_FORMAT", "$ECRET"),
        ("UNDERSIGN_TRUST_SELF_SIGNED", "$ECRET"),
        ("UNDERSIGN_ALLOW_NONLOCAL_LISTEN", "$ECRET"),
        ("UNDERSIGN_ADMIN_LISTEN", "$ECRET"),
        ("UNDERSIGN_CONFIG", "$ECRET"),
    ] {
        let flags = [
            ("UNDERSIGN_UPSTREAM", "https://up.invalid"),
            ("UNDERSIGN_CONSUMER_KEY", "key"),
            (name, value),
        ];
        for word in ["check", "run"] {
            stand.fails(&[word], &flags, "");
        }
    }
}

#[test]
fn sign_and_verify_explain_without_secrets() {
    let stand = Stand::new();
    write_secret(stand.path(), "token-secret", "the token's secret");
    let flags = [
        "--upstream=https://up.invalid",
        "--consumer-key=key",
        "--consumer-secret-file=secret",
        "--token=t",
        "--token-secret-file=token-secret",
    ];
    let run = |words: &[&str], input: &str| {
        let words: Vec<_> = [words, &flags].concat();
        let ended = undersign_reading(stand.path(), &words, &[], input.as_bytes());
        let place = format!("{words:?}");
        stand
            .sentinels
            .check(&place, format!("{}\n{}", ended.stdout, ended.stderr));
        ended
    };
    let methods = ["HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "PLAINTEXT"];
    for method in methods {
        let toml = format!("[proxy.default]\nsignature_method = '{method}'\n");
        fs::write(stand.path().join("undersign.toml"), toml).unwrap();
        let explained = run(&["sign", "GET", "/x?a=b", "--explain"], "");
        assert_eq!(explained.code, Some(0), "{explained:?}");
        if method != "PLAINTEXT" {
            let header = run(&["sign", "GET", "/x?a=b"], "").stdout;
            assert_eq!(run(&["verify", "GET", "/x?a=b"], &header).code, Some(0));
            assert_eq!(run(&["verify", "POST", "/x?a=c"], &header).code, Some(1));
        }
        // Headers with the secret where the signature belongs, and others that make no sense.
        for wrong in [
            "OAuth oauth_consumer_key=\"key\", oauth_signature_method=\"PLAINTEXT\", oauth_signature=\"$ECRET%26x\"",
            "OAuth oauth_consumer_key=\"key\", oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"1\", oauth_nonce=\"n\", oauth_signature=\"$ECRET\"",
            "OAuth oauth_signature=$ECRET",
            "OAuth oauth_signature=\"$ECRET",
        ] {
            let header = wrong.replace("$ECRET", &stand.secret);
            let ended = run(&["verify", "GET", "/x"], &header);
            assert_ne!(ended.code, Some(0), "{ended:?}");
        }
    }
    stand.fails(
        &[
            &["sign", "GET", "https://user:$ECRET@up.invalid/"],
            &flags[..],
        ]
        .concat(),
        &[],
        "",
    );
    stand.fails(
        &[&["sign", "GET", "/x", "--proxy", "$ECRET"], &flags[..]].concat(),
        &[],
        "",
    );
    stand.fails(
        &[
            &["verify", "GET", "/x", "--authorization", "$ECRET"],
            &flags[..],
        ]
        .concat(),
        &[],
        "",
    );
    stand.fails(
        &[&["verify", "GET", "/x"], &flags[..]].concat(),
        &[],
        "Bearer $ECRET",
    );
}
