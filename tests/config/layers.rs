//! Which of the file, the variables and the flags decides, and how each is read.

use std::time::Duration;

use secrecy::ExposeSecret as _;
use undersign::{
    config::{Checks, Flags, LogFormat, Trust, load},
    env::Environment,
    oauth::Realm,
};

use crate::{PROXY, Setup};

#[test]
fn a_higher_layer_overrides_a_lower_one() {
    let mut setup = Setup::new(&format!("{PROXY}token = 'file'\n"));
    let token = |setup: &Setup| setup.config().proxies[0].credentials.token.clone().unwrap();
    assert_eq!(token(&setup), "file");
    setup = setup.variable("UNDERSIGN_PROXY__APS__TOKEN", "nested");
    assert_eq!(token(&setup), "nested");
    setup = setup.variable("UNDERSIGN_TOKEN", "flat");
    assert_eq!(token(&setup), "flat");
    setup = setup.flags(|flags| flags.token = Some("flag".to_owned()));
    assert_eq!(token(&setup), "flag");
}

#[test]
fn a_secret_of_a_higher_layer_replaces_one_given_otherwise() {
    let mut setup = Setup::new(PROXY);
    let secret = |setup: &Setup| {
        let config = setup.config();
        config.proxies[0]
            .credentials
            .consumer_secret
            .expose_secret()
            .to_owned()
    };
    assert_eq!(secret(&setup), "secret");
    let path = setup.file("nested", "nested\n", 0o600);
    setup = setup.variable("UNDERSIGN_PROXY__APS__CONSUMER_SECRET_FILE", &path);
    assert_eq!(secret(&setup), "nested");
    setup = setup.variable("UNDERSIGN_CONSUMER_SECRET", "flat");
    assert_eq!(secret(&setup), "flat");
    let path = setup.file("flag", "flag\r\n", 0o600);
    setup = setup.flags(|flags| flags.consumer_secret_file = Some(path));
    assert_eq!(secret(&setup), "flag");
}

#[test]
fn flags_alone_describe_the_proxy_called_default() {
    let environment = Environment::from_iter([
        ("UNDERSIGN_CONSUMER_SECRET", "secret"),
        ("UNDERSIGN_TOKEN", ""),
    ]);
    let flags = Flags {
        upstream: Some("https://up.example".to_owned()),
        consumer_key: Some("00123".to_owned()),
        trust_self_signed: true,
        ..Flags::default()
    };
    let config = load(&flags, &environment, Checks::default()).unwrap();
    let [proxy] = &config.proxies[..] else {
        panic!("{config:?}")
    };
    assert_eq!(&*proxy.name, "default");
    assert_eq!(proxy.listen[0].to_string(), "127.0.0.1:8080");
    assert_eq!(proxy.credentials.consumer_key, "00123");
    assert_eq!(proxy.credentials.token.as_deref(), Some(""));
    assert_eq!(proxy.tls.trust, Trust::SelfSigned);
    assert!(config.admin.is_none() && config.log.format.is_none());
}

#[test]
fn a_flag_that_could_mean_several_proxies_is_refused() {
    let two = format!(
        "{PROXY}{}listen = '127.0.0.1:2'\n",
        PROXY.replace("aps", "other")
    );
    let setup =
        Setup::new(&two).flags(|flags| flags.upstream = Some("https://S3NTINEL".to_owned()));
    setup.check(
        "proxy.NAME.upstream",
        "--upstream",
        "UNDERSIGN_PROXY__NAME__UPSTREAM",
    );
    let setup = Setup::new(&two).variable("UNDERSIGN_TRUST_SELF_SIGNED", "1");
    setup.check(
        "proxy.NAME.tls.trust",
        "UNDERSIGN_TRUST_SELF_SIGNED",
        "UNDERSIGN_PROXY__NAME__TLS__TRUST",
    );

    let setup = Setup::new(&two.replace("other", "default"))
        .flags(|flags| flags.upstream = Some("https://new.example".to_owned()));
    let config = setup.config();
    assert_eq!(config.proxies[0].upstream.host, "up.example");
    assert_eq!(config.proxies[1].upstream.host, "new.example");
}

#[test]
fn variables_are_read_as_what_their_key_wants() {
    let config = Setup::new(&PROXY.replace("aps", "My-APS"))
        .variable("UNDERSIGN_PROXY__MY_APS__CONSUMER_KEY", "00123")
        .variable(
            "UNDERSIGN_PROXY__MY_APS__LISTEN",
            "127.0.0.1:1, unix:/run/a.sock",
        )
        .variable("UNDERSIGN_PROXY__MY_APS__REALM", "true")
        .variable("UNDERSIGN_PROXY__MY_APS__ALLOW_PLAINTEXT_UPSTREAM", "1")
        .variable("UNDERSIGN_PROXY__MY_APS__UPSTREAM", "http://up.example")
        .variable("UNDERSIGN_PROXY__MY_APS__TLS__TRUST", "self-signed")
        .variable("UNDERSIGN_PROXY__MY_APS__TIMEOUTS__FIRST_BYTE", "1m 30s")
        .variable("UNDERSIGN_PROXY__MY_APS__LIMITS__CONNECTIONS", "7")
        .variable("UNDERSIGN_PROXY__MY_APS__ACCESS__ALLOWED_UIDS", "0,1000")
        .variable("UNDERSIGN_PROXY__MY_APS__PASSTHROUGH_HEADERS", "APS-Token")
        .variable("UNDERSIGN_ADMIN__LISTEN", "0.0.0.0:9464")
        .variable("UNDERSIGN_ADMIN__ALLOW_NONLOCAL_LISTEN", "true")
        .variable("UNDERSIGN_LOG__FORMAT", "text")
        .variable("UNDERSIGN_SERVICE_HOST", "set by Kubernetes")
        .config();
    let proxy = &config.proxies[0];
    assert_eq!(&*proxy.name, "My-APS");
    assert_eq!(proxy.credentials.consumer_key, "00123");
    assert_eq!(proxy.listen.len(), 2);
    assert_eq!(proxy.signing.realm, Realm::Fixed("true".to_owned()));
    assert!(!proxy.upstream.https);
    assert_eq!(proxy.tls.trust, Trust::SelfSigned);
    assert_eq!(proxy.timeouts.first_byte, Duration::from_secs(90));
    assert_eq!(proxy.limits.connections, 7);
    assert_eq!(proxy.access.allowed_uids, [0, 1000]);
    assert_eq!(proxy.passthrough_headers, ["aps-token"]);
    assert_eq!(config.admin.unwrap().to_string(), "0.0.0.0:9464");
    assert_eq!(config.log.format, Some(LogFormat::Text));
}

#[test]
fn a_variable_that_could_mean_several_proxies_is_refused() {
    let two = format!(
        "{}{}listen = 'unix:/b'\n",
        PROXY.replace("aps", "a-b"),
        PROXY.replace("aps", "a_b")
    );
    let setup = Setup::new(&two).variable("UNDERSIGN_PROXY__A_B__REALM", "S3NTINEL");
    setup.check("UNDERSIGN_PROXY__A_B__REALM", "", "several proxies");
}

#[test]
fn switches_override_in_both_directions() {
    let toml = format!(
        "{PROXY}listen = '0.0.0.0:1'\nallow_nonlocal_listen = true\ntls.trust = 'self-signed'\n"
    );
    assert!(Setup::new(&toml).config().proxies[0].allow_nonlocal_listen);
    for off in ["false", "0"] {
        let setup = Setup::new(&toml).variable("UNDERSIGN_TRUST_SELF_SIGNED", off);
        assert_eq!(setup.config().proxies[0].tls.trust, Trust::System);
        let setup = setup.variable("UNDERSIGN_ALLOW_NONLOCAL_LISTEN", off);
        setup.check(
            "proxy.aps.listen",
            "undersign.toml:5",
            "--allow-nonlocal-listen",
        );
        let setup = setup.flags(|flags| flags.allow_nonlocal_listen = true);
        assert!(setup.config().proxies[0].allow_nonlocal_listen);
    }
}

#[test]
fn empty_flat_variables_count_as_unset() {
    let mut setup = Setup::new(&format!("{PROXY}token = 'file'\n"));
    for name in [
        "LISTEN",
        "UPSTREAM",
        "CONSUMER_KEY",
        "CONSUMER_SECRET",
        "CONSUMER_SECRET_FILE",
        "TOKEN_SECRET",
        "TRUST_SELF_SIGNED",
        "ADMIN_LISTEN",
        "LOG_FORMAT",
    ] {
        setup = setup.variable(&format!("UNDERSIGN_{name}"), "");
    }
    let credentials = setup.config().proxies[0].credentials.clone();
    assert_eq!(credentials.consumer_secret.expose_secret(), "secret");
    assert_eq!(credentials.token.as_deref(), Some("file"));
    let setup = setup.variable("UNDERSIGN_TOKEN", "");
    assert_eq!(
        setup.config().proxies[0].credentials.token.as_deref(),
        Some("")
    );
}
