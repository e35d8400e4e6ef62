//! The flags of the command line and the variables that stand for them.

/// Flags as they were given. Their values are not parsed yet, so that all faults can be reported together.
///
/// A secret is never a flag: other users could see it in the list of processes.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--config FILE`
    pub config: Option<String>,
    /// `--listen ADDR`
    pub listen: Option<String>,
    /// `--upstream URL`
    pub upstream: Option<String>,
    /// `--consumer-key KEY`
    pub consumer_key: Option<String>,
    /// `--consumer-secret-file FILE`
    pub consumer_secret_file: Option<String>,
    /// `--token TOKEN`
    pub token: Option<String>,
    /// `--token-secret-file FILE`
    pub token_secret_file: Option<String>,
    /// `--trust-self-signed`
    pub trust_self_signed: bool,
    /// `--allow-nonlocal-listen`
    pub allow_nonlocal_listen: bool,
    /// `--allow-plaintext-upstream`
    pub allow_plaintext_upstream: bool,
    /// `--admin-listen ADDR`
    pub admin_listen: Option<String>,
    /// `--log-format text|json`
    pub log_format: Option<String>,
    /// `--log-file FILE`
    pub log_file: Option<String>,
}

/// What a flat setting is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The proxy `default`, or the only one there is.
    Proxy,
    /// The daemon.
    Daemon,
}

/// How a flat setting's text becomes the value of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It is the value; an empty variable counts as unset.
    Value,
    /// It is the value, even if it is empty.
    MaybeEmpty,
    /// A switch that chooses between `self-signed` and `system`.
    Trust,
    /// The variable itself holds a secret: the value is the variable's name.
    OwnName,
}

/// Finds a flag's text, if the flag was given.
type FlagValue = fn(&Flags) -> Option<String>;

/// A key that has a variable of its own, and most often a flag.
#[derive(Debug)]
pub(super) struct FlatSetting {
    /// `None` where there is only a variable.
    pub(super) flag: Option<(&'static str, FlagValue)>,
    pub(super) variable: &'static str,
    pub(super) scope: Scope,
    /// The key, below `proxy.NAME` or the top.
    pub(super) key: &'static [&'static str],
    pub(super) meaning: Meaning,
}

/// The variable that stands for `--config`, which is not a key of the configuration itself.
pub(super) const CONFIG_VARIABLE: &str = "UNDERSIGN_CONFIG";

/// Every flag but `--config`, with its variable and the key that both override.
pub(super) const FLAT_SETTINGS: &[FlatSetting] = &[
    FlatSetting {
        flag: Some(("--listen", |flags| flags.listen.clone())),
        variable: "UNDERSIGN_LISTEN",
        scope: Scope::Proxy,
        key: &["listen"],
        meaning: Meaning::Value,
    },
    FlatSetting {
        flag: Some(("--upstream", |flags| flags.upstream.clone())),
        variable: "UNDERSIGN_UPSTREAM",
        scope: Scope::Proxy,
        key: &["upstream"],
        meaning: Meaning::Value,
    },
    FlatSetting {
        flag: Some(("--consumer-key", |flags| flags.consumer_key.clone())),
        variable: "UNDERSIGN_CONSUMER_KEY",
        scope: Scope::Proxy,
        key: &["consumer_key"],
        meaning: Meaning::Value,
    },
    FlatSetting {
        flag: Some(("--consumer-secret-file", |flags| {
            flags.consumer_secret_file.clone()
        })),
        variable: "UNDERSIGN_CONSUMER_SECRET_FILE",
        scope: Scope::Proxy,
        key: &["consumer_secret_file"],
        meaning: Meaning::Value,
    },
    FlatSetting {
        flag: None,
        variable: "UNDERSIGN_CONSUMER_SECRET",
        scope: Scope::Proxy,
        key: &["consumer_secret_env"],
        meaning: Meaning::OwnName,
    },
    FlatSetting {
        flag: Some(("--token", |flags| flags.token.clone())),
        variable: "UNDERSIGN_TOKEN",
        scope: Scope::Proxy,
        key: &["token"],
        meaning: Meaning::MaybeEmpty,
    },
    FlatSetting {
        flag: Some(("--token-secret-file", |flags| {
            flags.token_secret_file.clone()
        })),
        variable: "UNDERSIGN_TOKEN_SECRET_FILE",
        scope: Scope::Proxy,
        key: &["token_secret_file"],
        meaning: Meaning::Value,
    },
    FlatSetting {
        flag: None,
        variable: "UNDERSIGN_TOKEN_SECRET",
        scope: Scope::Proxy,
        key: &["token_secret_env"],
        meaning: Meaning::OwnName,
    },
    FlatSetting {
        flag: Some(("--trust-self-signed", |flags| {
            switch(flags.trust_self_signed)
        })),
        variable: "UNDERSIGN_TRUST_SELF_SIGNED",
        scope: Scope::Proxy,
        key: &["tls", "trust"],
        meaning: Meaning::Trust,
    },
    FlatSetting {
        flag: Some(("--allow-nonlocal-listen", |flags| {
            switch(flags.allow_nonlocal_listen)
        })),
        variable: "UNDERSIGN_ALLOW_NONLOCAL_LISTEN",
        scope: Scope::Proxy,
        key: &["allow_nonlocal_listen"],
        meaning: Meaning::Value,
    },
    FlatSetting {
        flag: Some(("--allow-plaintext-upstream", |flags| {
            switch(flags.allow_plaintext_upstream)
        })),
        variable: "UNDERSIGN_ALLOW_PLAINTEXT_UPSTREAM",
        scope: Scope::Proxy,
        key: &["allow_plaintext_upstream"],
        meaning: Meaning::Value,
    },
    FlatSetting {
        flag: Some(("--admin-listen", |flags| flags.admin_listen.clone())),
        variable: "UNDERSIGN_ADMIN_LISTEN",
        scope: Scope::Daemon,
        key: &["admin", "listen"],
        meaning: Meaning::Value,
    },
    FlatSetting {
        flag: Some(("--log-format", |flags| flags.log_format.clone())),
        variable: "UNDERSIGN_LOG_FORMAT",
        scope: Scope::Daemon,
        key: &["log", "format"],
        meaning: Meaning::Value,
    },
    FlatSetting {
        flag: Some(("--log-file", |flags| flags.log_file.clone())),
        variable: "UNDERSIGN_LOG_FILE",
        scope: Scope::Daemon,
        key: &["log", "file"],
        meaning: Meaning::Value,
    },
];

/// A switch that is not given leaves what the file says.
fn switch(given: bool) -> Option<String> {
    given.then(|| "true".to_owned())
}
