//! The files in `config`, and what `describe` writes.

use std::{fs, path::Path};

use undersign::{
    config::{InboundAuthorization, describe},
    oauth::QueryPlus,
};

use crate::{PROXY, SENTINEL, Setup};

#[test]
fn the_examples_can_be_loaded() {
    for name in ["undersign.toml", "minimal.toml", "sidecar.toml"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("config")
            .join(name);
        let setup = Setup::new("");
        let secret = setup.file("secret", "secret\n", 0o600);
        let setup = setup
            .variable("UNDERSIGN_PROXY__APS__CONSUMER_SECRET_FILE", &secret)
            .flags(|flags| flags.config = Some(path.to_str().unwrap().to_owned()));
        let config = setup.config();
        assert_eq!(&*config.proxies[0].name, "aps");
        assert_eq!(config.proxies[0].listen[0].to_string(), "127.0.0.1:8080");
        assert_eq!(config.admin.is_some(), name != "minimal.toml");
    }
}

#[test]
fn the_annotated_example_states_the_defaults() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/undersign.toml");
    let text = fs::read_to_string(path).unwrap();
    let minimal = Setup::new(PROXY).config();
    let default = &minimal.proxies[0];
    let config = Setup::new(&text)
        .variable("UNDERSIGN_PROXY__APS__CONSUMER_SECRET_ENV", "APS_SECRET")
        .config();
    let stated = &config.proxies[0];
    let debug = |value: &dyn std::fmt::Debug| format!("{value:?}");
    assert_eq!(stated.listen, default.listen);
    assert_eq!(debug(&stated.signing), debug(&default.signing));
    assert_eq!(debug(&stated.tls), debug(&default.tls));
    assert_eq!(debug(&stated.timeouts), debug(&default.timeouts));
    assert_eq!(debug(&stated.limits), debug(&default.limits));
    assert_eq!(stated.inbound_authorization, default.inbound_authorization);
}

#[test]
fn a_description_can_be_read_back_and_holds_no_secret() {
    let toml = r#"
        [log]
        format = "text"
        file = "/var/log/a \"b\".log"
        [admin]
        listen = "0.0.0.0:9464"
        allow_nonlocal_listen = true
        [proxy.aps]
        listen = ["[::1]:8080", "unix:/run/a.sock"]
        upstream = "http://[2001:db8::1]:81"
        allow_plaintext_upstream = true
        consumer_key = "00123"
        consumer_secret_env = "SECRET"
        token = "t\\"
        token_secret_env = "SECRET"
        realm = "uri"
        query_plus = "literal"
        inbound_authorization = "keep"
        passthrough_headers = ["APS-Token"]
        [proxy.aps.tls]
        trust = "self-signed"
        pin_sha256 = ["sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]
        server_name = "Name.example"
        dial = "[::1]:443"
        [proxy.aps.access]
        allowed_hosts = ["Proxy.example:80"]
        allowed_origins = ["https://app.example"]
        allowed_uids = [1000]
        allow = [{ methods = ["GET"], path = "/a/**" }, { path = "/b" }]
        [proxy.aps.timeouts]
        idle = "1m 30s"
        [proxy.aps.limits]
        form_bytes = 1000
    "#;
    let first = Setup::new(toml).variable("SECRET", SENTINEL);
    let token_file = first.file("client", SENTINEL, 0o600);
    let own = rcgen::generate_simple_self_signed(["client.example".to_owned()]).unwrap();
    let certificate_file = first.file("c.pem", own.cert.pem(), 0o600);
    let key_file = first.file("k.pem", own.signing_key.serialize_pem(), 0o600);
    let first = [
        ("ACCESS__CLIENT_TOKEN_FILE", &token_file),
        ("TLS__CA_FILE", &certificate_file),
        ("TLS__CLIENT_CERTIFICATE_FILE", &certificate_file),
        ("TLS__CLIENT_KEY_FILE", &key_file),
    ]
    .into_iter()
    .fold(first, |setup, (key, file)| {
        setup.variable(&format!("UNDERSIGN_PROXY__APS__{key}"), file)
    });
    let config = first.config();
    let text = describe(&config);
    assert!(
        !text.contains(SENTINEL) && !format!("{config:?}").contains(SENTINEL),
        "{text}"
    );
    assert_eq!(text.matches(" resolved, not shown\n").count(), 3, "{text}");

    let again = Setup::new(&text).variable("SECRET", SENTINEL).config();
    assert_eq!(format!("{again:?}"), format!("{config:?}"));
    assert_eq!(describe(&again), text);

    let proxy = &again.proxies[0];
    assert_eq!(proxy.signing.query_plus, QueryPlus::Literal);
    assert_eq!(proxy.inbound_authorization, InboundAuthorization::Keep);
    assert_eq!(proxy.tls.server_name.as_deref(), Some("name.example"));
    assert_eq!(proxy.access.allow.as_ref().unwrap().len(), 2);
}

#[test]
fn a_description_says_where_each_secret_is_and_what_was_allowed() {
    let toml = format!("{PROXY}token = ''\nallow_plaintext_upstream = true\n");
    let setup = Setup::new(&toml);
    let file = setup.file("secret", SENTINEL, 0o600);
    let command = format!("/bin/cat,{file}");
    let key = "UNDERSIGN_PROXY__APS__TOKEN_SECRET";
    let cases = [
        (
            "FILE",
            &file,
            format!("\ntoken_secret_file = \"{file}\" # "),
        ),
        (
            "ENV",
            &"A_SECRET".to_owned(),
            "\ntoken_secret_env = \"A_SECRET\" # ".to_owned(),
        ),
        // A password may be among the words behind the program.
        (
            "COMMAND",
            &command,
            "\n# token_secret_command = [\"/bin/cat\", …]: ".to_owned(),
        ),
    ];
    for (kind, value, expected) in cases {
        let config = Setup::new(&toml)
            .variable("A_SECRET", SENTINEL)
            .variable(&format!("{key}_{kind}"), value)
            .config();
        let text = describe(&config);
        let expected = format!("{expected}resolved, not shown\n");
        assert!(text.contains(&expected), "{expected}: {text}");
        for line in [
            "consumer_secret_env = \"APS_SECRET\" # resolved, not shown\n",
            "upstream = \"https://",
            "allow_plaintext_upstream = true\n",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
        assert!(!text.contains(SENTINEL), "{text}");
    }
    let text = describe(&Setup::new(PROXY).config());
    assert!(
        text.contains("allow_plaintext_upstream = false\n"),
        "{text}"
    );
}
