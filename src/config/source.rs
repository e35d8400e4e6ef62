//! The layers of the configuration: file, then `UNDERSIGN_PROXY__NAME__KEY`, then flat variables, then flags.

use ::config::{ConfigError, Map, Source, Value, ValueKind};

use super::{
    fault::{Fault, FilePlaces},
    file::{FileValues, read_file},
    flags::{CONFIG_VARIABLE, FLAT_SETTINGS, Flags, FlatSetting, Meaning, Scope},
    scalar::parse_switch,
};
use crate::env::Environment;

/// The proxy that flags and flat variables describe when there is no other.
pub(super) const DEFAULT_PROXY: &str = "default";

/// The keys of which one excludes the others; one in a higher layer replaces those below it.
const ALTERNATIVES: [[&str; 3]; 2] = [
    [
        "consumer_secret_file",
        "consumer_secret_env",
        "consumer_secret_command",
    ],
    [
        "token_secret_file",
        "token_secret_env",
        "token_secret_command",
    ],
];

/// All layers as one.
#[derive(Clone, Debug)]
pub(super) struct Merged {
    pub(super) values: Map<String, Value>,
    /// Where the file and its tables are.
    pub(super) places: FilePlaces,
    /// What is wrong with the layers themselves.
    pub(super) faults: Vec<Fault>,
}

/// Reads and merges the layers. Each value keeps the place where it came from as its origin.
///
/// Flags and flat variables are about the proxy that was `chosen`, if there is one of that name.
pub(super) fn merge(
    flags: &Flags,
    environment: &Environment,
    chosen: Option<&str>,
) -> Result<Merged, Vec<Fault>> {
    let mut faults = unreadable_variables(environment);
    let FileValues { values, places } = match read_file(flags, environment) {
        Ok(file) => file,
        Err(fault) => {
            // Without the file, all that it would have said seems to be missing.
            faults.push(fault);
            return Err(faults);
        }
    };
    let file = Layer(values);
    let nested = nested_variables(environment, &file, &mut faults);
    let mut names = file.proxy_names();
    names.extend(nested.proxy_names());
    names.sort();
    names.dedup();
    if let Some(chosen) = names.iter().position(|name| Some(name.as_str()) == chosen) {
        names = vec![names.swap_remove(chosen)];
    }
    let by_variables = flat_layer(&names, &mut faults, |setting| {
        let text = environment.get(setting.variable).ok().flatten()?;
        let kept = !text.is_empty() || setting.meaning == Meaning::MaybeEmpty;
        kept.then(|| (setting.variable, text.to_owned()))
    });
    let by_flags = flat_layer(&names, &mut faults, |setting| {
        let (flag, value) = setting.flag?;
        Some((flag, value(flags)?))
    });

    let merged = [file, nested, by_variables, by_flags]
        .into_iter()
        .fold(::config::Config::builder(), |builder, layer| {
            builder.add_source(layer.finish())
        })
        .build()
        .and_then(|merged| merged.cache.into_table());
    // Layers are tables that cannot fail to be read.
    let mut merged = merged.unwrap_or_default();
    let values = merged.remove(Layer::ROOT).map(|root| root.kind);
    Ok(Merged {
        values: match values {
            Some(ValueKind::Table(values)) => values,
            _ => Map::new(),
        },
        places,
        faults,
    })
}

/// One layer: a tree of values.
#[derive(Clone, Debug, Default)]
struct Layer(Map<String, Value>);

impl Layer {
    /// A layer hangs below one name of ours: `config` takes names at the top for paths, and would act on a `[9]` in one.
    const ROOT: &str = "undersign";

    fn set(&mut self, path: &[&str], value: Value) {
        let Some((last, tables)) = path.split_last() else {
            return;
        };
        let mut table = &mut self.0;
        for name in tables {
            let child = table.entry((*name).to_owned()).or_default();
            if !matches!(child.kind, ValueKind::Table(_)) {
                child.kind = ValueKind::Table(Map::new());
            }
            let ValueKind::Table(inner) = &mut child.kind else {
                return;
            };
            table = inner;
        }
        table.insert((*last).to_owned(), value);
    }

    fn proxy_names(&self) -> Vec<String> {
        match self.0.get("proxy").map(|proxies| &proxies.kind) {
            Some(ValueKind::Table(proxies)) => proxies.keys().cloned().collect(),
            _ => Vec::new(),
        }
    }

    /// Lets each alternative of this layer replace the others of the layers below.
    fn finish(mut self) -> Self {
        let Some(ValueKind::Table(proxies)) =
            self.0.get_mut("proxy").map(|proxies| &mut proxies.kind)
        else {
            return self;
        };
        for proxy in proxies.values_mut() {
            let ValueKind::Table(proxy) = &mut proxy.kind else {
                continue;
            };
            for keys in ALTERNATIVES {
                if keys.iter().any(|key| proxy.contains_key(*key)) {
                    for key in keys {
                        proxy.entry(key.to_owned()).or_default();
                    }
                }
            }
        }
        self
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        let root = Value::new(None, self.0.clone());
        Ok(Map::from_iter([(Self::ROOT.to_owned(), root)]))
    }
}

/// A fault for each variable of ours that is no text.
fn unreadable_variables(environment: &Environment) -> Vec<Fault> {
    environment
        .own()
        .filter(|(name, _)| {
            name.contains("__")
                || *name == CONFIG_VARIABLE
                || FLAT_SETTINGS
                    .iter()
                    .any(|setting| setting.variable == *name)
        })
        .filter_map(|(name, value)| {
            Some(Fault {
                key: name.to_owned(),
                origin: None,
                problem: format!("{}: write it in UTF-8, or unset it", value.err()?),
            })
        })
        .collect()
}

/// `UNDERSIGN_PROXY__NAME__KEY`, `UNDERSIGN_LOG__FORMAT` and the like.
///
/// A name without `__` that we do not know is nobody's fault: Kubernetes sets `UNDERSIGN_SERVICE_HOST` and
/// others for a service called `undersign`.
fn nested_variables(environment: &Environment, file: &Layer, faults: &mut Vec<Fault>) -> Layer {
    let known = file.proxy_names();
    let mut layer = Layer::default();
    for (variable, value) in environment.own() {
        // One that is no text has been reported.
        let (Some(path), Ok(value)) = (nested_path(variable, &known), value) else {
            continue;
        };
        match path {
            Ok(path) => {
                let path: Vec<_> = path.iter().map(String::as_str).collect();
                layer.set(&path, Value::new(Some(&variable.to_owned()), value));
            }
            Err(problem) => faults.push(Fault {
                key: variable.to_owned(),
                origin: None,
                problem: problem.to_owned(),
            }),
        }
    }
    layer
}

/// The key that a variable stands for, name by name; `None` if it is no nested one.
fn nested_path(variable: &str, known: &[String]) -> Option<Result<Vec<String>, &'static str>> {
    let path = variable.strip_prefix("UNDERSIGN_")?.to_ascii_lowercase();
    if !path.contains("__") {
        return None;
    }
    let mut path: Vec<_> = path.split("__").map(str::to_owned).collect();
    let is_proxy = path[0] == "proxy";
    if path.len() < if is_proxy { 3 } else { 2 } || path.iter().any(String::is_empty) {
        return Some(Err(
            "names no key: write UNDERSIGN_PROXY__NAME__KEY, UNDERSIGN_LOG__KEY or UNDERSIGN_ADMIN__KEY",
        ));
    }
    if is_proxy {
        match proxies_meant_by(&path[1], known)[..] {
            [] => {}
            [name] => path[1] = name.to_owned(),
            _ => {
                return Some(Err(
                    "could mean several proxies, whose names differ only in case, - and _: rename all but one",
                ));
            }
        }
    }
    Some(Ok(path))
}

/// The proxies of the file that a name in a variable stands for: variables have neither lower case nor `-`.
fn proxies_meant_by<'a>(name: &str, known: &'a [String]) -> Vec<&'a str> {
    let plain = |name: &str| name.to_ascii_lowercase().replace('-', "_");
    known
        .iter()
        .map(String::as_str)
        .filter(|candidate| plain(candidate) == plain(name))
        .collect()
}

/// The layer of the flat variables, or of the flags. `value` finds a setting's origin and text.
fn flat_layer(
    names: &[String],
    faults: &mut Vec<Fault>,
    value: impl Fn(&FlatSetting) -> Option<(&'static str, String)>,
) -> Layer {
    let mut layer = Layer::default();
    for setting in FLAT_SETTINGS {
        let Some((origin, text)) = value(setting) else {
            continue;
        };
        let mut path = Vec::new();
        if setting.scope == Scope::Proxy {
            let name = match names {
                [] => DEFAULT_PROXY,
                [only] => only,
                _ if names.iter().any(|name| name == DEFAULT_PROXY) => DEFAULT_PROXY,
                _ => {
                    faults.push(ambiguous(setting, origin));
                    continue;
                }
            };
            path.extend(["proxy", name]);
        }
        path.extend(setting.key);
        let kind = match setting.meaning {
            Meaning::Value | Meaning::MaybeEmpty => text,
            Meaning::OwnName => setting.variable.to_owned(),
            Meaning::Trust => match parse_switch(&text) {
                Ok(true) => "self-signed".to_owned(),
                Ok(false) => "system".to_owned(),
                Err(error) => {
                    faults.push(Fault {
                        key: path.join("."),
                        origin: Some(origin.to_owned()),
                        problem: error.to_string(),
                    });
                    continue;
                }
            },
        };
        layer.set(&path, Value::new(Some(&origin.to_owned()), kind));
    }
    layer
}

/// With several proxies, none called `default`, a flag could mean any of them.
fn ambiguous(setting: &FlatSetting, origin: &str) -> Fault {
    let key = setting.key.join(".");
    let variable = setting.key.join("__").to_ascii_uppercase();
    Fault {
        key: format!("proxy.NAME.{key}"),
        origin: Some(origin.to_owned()),
        problem: format!(
            "could mean any of several proxies: set proxy.NAME.{key} in the file or UNDERSIGN_PROXY__NAME__{variable} instead"
        ),
    }
}
