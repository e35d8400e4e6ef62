//! From merged values to a [`Config`].

mod listen;
mod parse;
mod proxy;

use super::{
    Checks, Config, LogConfig, LogFormat, Origin, ProxyConfig,
    fault::{Fault, Ledger, Place},
    reader::Section,
    secret::Secrets,
    source::{DEFAULT_PROXY, Merged},
};
use crate::env::Environment;

/// Makes merged values into a configuration.
pub(super) fn resolve(
    merged: Merged,
    environment: &Environment,
    checks: Checks,
) -> Result<Config, Vec<Fault>> {
    let ledger = Ledger::new(merged.faults, merged.places);
    let secrets = Secrets::new(environment, &merged.values);
    let mut root = Section::root(&ledger, environment, merged.values);

    let log = log(root.section("log"), checks);
    // The listeners of proxies with faults count too: no fault hides another.
    let mut listeners = Vec::new();
    let admin = listen::admin(root.section("admin"), &mut listeners);
    let faults_before = ledger.count();
    let mut section = root.section("proxy");
    let named = section.named_sections();
    if named.is_empty() && ledger.count() == faults_before {
        ledger.note(
            &section.place(),
            "no proxy is described: give at least --upstream, --consumer-key and --consumer-secret-file, \
             or a file with a table [proxy.NAME]",
        );
    }
    let proxies: Vec<_> = named
        .into_iter()
        .filter_map(|(name, section)| {
            proxy::resolve(&name, section, &secrets, None, checks, &mut listeners)
        })
        .collect();
    root.finish();
    listen::check_for_clashes(&ledger, &listeners);

    let faults = ledger.into_faults();
    if faults.is_empty() {
        Ok(Config {
            log,
            admin,
            proxies,
        })
    } else {
        Err(faults)
    }
}

/// Makes one of the proxies into a configuration; without a name the only one, or the one that flags describe.
pub(super) fn resolve_one(
    merged: Merged,
    environment: &Environment,
    name: Option<&str>,
    upstream: Option<&Origin>,
    checks: Checks,
) -> Result<ProxyConfig, Vec<Fault>> {
    let ledger = Ledger::new(merged.faults, merged.places);
    let secrets = Secrets::new(environment, &merged.values);
    let mut root = Section::root(&ledger, environment, merged.values);
    let mut named = root.section("proxy").named_sections();
    let names: Vec<_> = named.iter().map(|(name, _)| name.clone()).collect();
    let chosen = match (name, &names[..]) {
        (None, [_]) => Some(0),
        (name, _) => {
            let wanted = name.unwrap_or(DEFAULT_PROXY);
            names.iter().position(|name| name == wanted)
        }
    };
    let mut listeners = Vec::new();
    let proxy = match chosen {
        Some(chosen) => {
            let (name, section) = named.swap_remove(chosen);
            proxy::resolve(&name, section, &secrets, upstream, checks, &mut listeners)
        }
        None => {
            ledger.note(&place_of_choice(name), choice_advice(name, &names));
            None
        }
    };
    let faults = ledger.into_faults();
    match proxy {
        Some(proxy) if faults.is_empty() => Ok(proxy),
        _ => Err(faults),
    }
}

fn place_of_choice(name: Option<&str>) -> Place {
    Place {
        key: "proxy".to_owned(),
        origin: name.map(|_| "--proxy".to_owned()),
    }
}

fn choice_advice(name: Option<&str>, names: &[String]) -> String {
    if names.is_empty() {
        return "no proxy is described: give at least --consumer-key and --consumer-secret-file, \
                or a file with a table [proxy.NAME]"
            .to_owned();
    }
    let names = names.join(", ");
    match name {
        Some(_) => format!("there is no proxy of this name: there is {names}"),
        None => format!("there are several: choose with --proxy NAME one of {names}"),
    }
}

fn log(mut section: Section<'_>, checks: Checks) -> LogConfig {
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    let format = section.choice("format", &formats);
    let file = section.path("file");
    if let (Some(file), Some(check)) = (&file, checks.log_file)
        && let Err(error) = check(&file.value)
    {
        // The path is not shown: it may be a secret, given by mistake.
        let problem = format_args!("can't write to this file: {error}");
        section.ledger().note(&file.place, problem);
    }
    let log = LogConfig {
        format,
        file: file.map(|file| file.value),
    };
    section.finish();
    log
}
